import type { ProbeAnswer } from '../../core/health-clock.ts';
import { describeResult } from '../run-bounded.ts';
import type { Attach } from './attach.ts';

export interface CommandProbeOptions {
  attach: Attach;
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

/** What lxc-attach itself complains of, as against the command in the container. */
const attachFailed = /^lxc-attach: (?!.*Failed to exec)/m;

/**
 * Runs the check's command in the container; healthy when it exits with 0. `unknown` when it could
 * not be run because lxc-attach is missing. Never throws.
 */
export const probeCommand = async (
  command: readonly string[],
  name: string,
  { attach, timeoutMs, signal }: CommandProbeOptions,
): Promise<ProbeAnswer> => {
  const result = await attach(name, command, { timeoutMs, signal });
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
