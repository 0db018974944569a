import { substitute } from '../../core/substitute.ts';
import type { SubstitutedContainer } from '../../core/substitute.ts';
import { describeResult, plainEnvironment } from '../run-bounded.ts';
import type { RunBounded } from '../run-bounded.ts';

export interface ServiceCommandOptions {
  run: RunBounded;
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

const OUTPUT_BYTES = 16_384;

/**
 * Runs a before-stop or after-healthy command of the host's configuration on the host, with
 * `{name}` and `{address}` replaced and the environment cleared. Throws, with which one and what it
 * said last, unless it exits with 0.
 */
export const runServiceCommand = async (
  option: 'beforeStop' | 'afterHealthy',
  command: readonly string[],
  container: SubstitutedContainer,
  { run, timeoutMs, signal }: ServiceCommandOptions,
): Promise<void> => {
  const argv = command.map((word) => substitute(word, container));
  const env = { ...plainEnvironment, GROUNDSWELL_CONTAINER: container.name };
  const result = await run(argv, { timeoutMs, signal, env, maxOutputBytes: OUTPUT_BYTES });
  if (result.ended !== 'exited' || result.exitCode !== 0)
    throw new Error(`${option} of ${container.name}: ${describeResult(argv, result, timeoutMs)}`);
};
