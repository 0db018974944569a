import type { AptHost } from './apt-host.ts';
import { nameFailure } from './name-failure.ts';
import type { AptFailure } from './name-failure.ts';
import { parseSimulation } from './parse-simulation.ts';
import type { Simulation } from './parse-simulation.ts';
import { runAptQuery } from './run-apt-query.ts';

export type Simulated = { ok: true; simulation: Simulation } | { ok: false; reason: AptFailure };

const SIMULATE_TIMEOUT_MS = 300_000;

/**
 * Asks apt-get(8) what it would do for `args` (a command and its operands), without doing it. It
 * takes no lock, and fires none of the hooks for packages.
 */
export const simulate = async (host: AptHost, args: readonly string[]): Promise<Simulated> => {
  const output = await runAptQuery(host, ['apt-get', '-s', '-q', '-y', ...args], {
    timeoutMs: SIMULATE_TIMEOUT_MS,
  });
  if (output.exitCode !== 0) return { ok: false, reason: nameFailure(output.all, output.exitCode) };
  return { ok: true, simulation: parseSimulation(output.stdout) };
};
