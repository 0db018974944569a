import { aptEnvironment } from './apt-host.ts';
import type { AptHost } from './apt-host.ts';
import { nameFailure } from './name-failure.ts';
import type { PackageFailure } from '../packages/failure.ts';
import { parseSimulation } from './parse-simulation.ts';
import type { Simulation } from './parse-simulation.ts';
import { runQuery } from '../packages/run-query.ts';

export type Simulated =
  { ok: true; simulation: Simulation } | { ok: false; reason: PackageFailure };

const SIMULATE_TIMEOUT_MS = 300_000;

/**
 * Asks apt-get(8) what it would do for `args` (a command and its operands), without doing it. It
 * takes no lock, and fires none of the hooks for packages.
 */
export const simulate = async (host: AptHost, args: readonly string[]): Promise<Simulated> => {
  const output = await runQuery(['apt-get', '-s', '-q', '-y', ...args], {
    timeoutMs: SIMULATE_TIMEOUT_MS,
    environment: aptEnvironment(host),
  });
  if (output.exitCode !== 0) return { ok: false, reason: nameFailure(output.all, output.exitCode) };
  return { ok: true, simulation: parseSimulation(output.stdout) };
};
