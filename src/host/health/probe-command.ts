import type { ProbeAnswer } from '../../core/health-clock.ts';
import { describeResult, plainEnvironment } from '../run-bounded.ts';
import type { RunBounded } from '../run-bounded.ts';

export interface CommandProbeOptions {
  run: RunBounded;
  lxcPath: string;
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

const OUTPUT_BYTES = 4_096;
/** What lxc-attach itself complains of, as against the command in the container. */
const attachFailed = /^lxc-attach: (?!.*Failed to exec)/m;

/** lxc-attach(1) with the environment cleared, running `command` in a container. */
export const attachArguments = (
  lxcPath: string,
  name: string,
  command: readonly string[],
): string[] => [
  'lxc-attach',
  ...['-P', lxcPath, '-n', name, '--clear-env'],
  ...Object.entries(plainEnvironment).flatMap(([key, value]) => ['-v', `${key}=${value}`]),
  '--',
  ...command,
];

/**
 * Runs the check's command in the container; healthy when it exits with 0. `unknown` when it could
 * not be run because lxc-attach is missing. Never throws.
 */
export const probeCommand = async (
  command: readonly string[],
  name: string,
  { run, lxcPath, timeoutMs, signal }: CommandProbeOptions,
): Promise<ProbeAnswer> => {
  const result = await run(attachArguments(lxcPath, name, command), {
    timeoutMs,
    signal,
    env: plainEnvironment,
    maxOutputBytes: OUTPUT_BYTES,
  });
  if (result.ended === 'exited' && result.exitCode === 0)
    return { health: 'healthy', reason: `${command[0] ?? ''} exited with 0` };
  if (result.ended === 'failed' && result.problem.includes('ENOENT'))
    return {
      health: 'unknown',
      reason: 'lxc-attach is not installed: install LXC (apt-get install lxc)',
    };
  const reason = describeResult(command, result, timeoutMs);
  return {
    health: 'unhealthy',
    reason: attachFailed.test(result.output) ? `cannot enter ${name}: ${reason}` : reason,
  };
};
