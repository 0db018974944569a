import { notAsProved, otherThanProved } from '../packages/as-proved.ts';
import type { ProvedVersion } from '../packages/as-proved.ts';
import type { PackageFailure } from '../packages/failure.ts';
import type { AptHost } from './apt-host.ts';
import { aptFailure } from './name-failure.ts';
import type { Simulation } from './parse-simulation.ts';
import { aptOperands } from './plan-upgrade.ts';
import type { UpgradeTarget } from './plan-upgrade.ts';
import { simulate } from './simulate.ts';

/** A simulation, with what it was of; `from` is empty for what is not installed. */
type SimulatedTargets =
  | { ok: true; simulation: Simulation; operands: string[]; targets: UpgradeTarget[] }
  | { ok: false; reason: PackageFailure };

/**
 * What apt would do; what it would bring along in another version than was proved is named as well, in that one. apt takes what
 * is named with `--only-upgrade` and not installed for no more than the version to take where it comes along.
 */
export const simulateAsProved = async (
  host: AptHost,
  chosen: readonly UpgradeTarget[],
  proved: readonly ProvedVersion[],
): Promise<SimulatedTargets> => {
  const trial = async (targets: UpgradeTarget[]): Promise<SimulatedTargets> => {
    const operands = aptOperands(targets);
    const simulated = await simulate(host, ['--only-upgrade', 'install', ...operands]);
    return simulated.ok ? { ...simulated, operands, targets } : simulated;
  };
  const first = await trial([...chosen]);
  if (!first.ok) return first;
  const { installs } = first.simulation;
  const others = notAsProved(installs, proved);
  if (others.length === 0) return first;
  const installedAs = (one: ProvedVersion): string =>
    installs.find(({ name, arch }) => name === one.name && arch === one.arch)?.from ?? '';
  const second = await trial([
    ...chosen,
    ...others.map((one) => ({ ...one, from: installedAs(one), to: one.version })),
  ]);
  const left = second.ok ? notAsProved(second.simulation.installs, proved) : others;
  if (left.length === 0) return second;
  const reason = otherThanProved(left, (message) => aptFailure('unknown-version', message));
  return { ok: false, reason };
};
