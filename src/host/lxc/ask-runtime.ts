import { describeResult, plainEnvironment, runBounded } from '../run-bounded.ts';
import type { RunBounded } from '../run-bounded.ts';

const timeoutMs = 5_000;

/**
 * Whether LXC's own tools work: they load its library and ask its monitors, as starting and stopping do, which
 * reading configurations and procfs does not show. Answers what is wrong; null: they answer.
 */
export const askRuntime = async (
  lxcPath: string,
  run: RunBounded = runBounded,
): Promise<string | null> => {
  const argv = ['lxc-ls', '-P', lxcPath, '-1', '--running'];
  const result = await run(argv, { timeoutMs, env: plainEnvironment, maxOutputBytes: 4_096 });
  return result.ended === 'exited' && result.exitCode === 0
    ? null
    : describeResult(argv, result, timeoutMs);
};
