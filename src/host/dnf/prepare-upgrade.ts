import { errorText } from '../../core/error-text.ts';
import { compareRpmVersions } from '../../core/versions/compare-rpm-versions.ts';
import { notAsProved, otherThanProved } from '../packages/as-proved.ts';
import type { ProvedVersion } from '../packages/as-proved.ts';
import type { PackageFailure } from '../packages/failure.ts';
import type { UpgradeRequest } from '../packages/package-manager.ts';
import { waitForLocks } from '../packages/wait-for-locks.ts';
import type { DnfHost } from './dnf-host.ts';
import { rpmLockHolders } from './locks.ts';
import { damagedDatabase, dnfFailure } from './name-failure.ts';
import type { RpmPackage } from './parse-rpm-packages.ts';
import type { DnfSimulation, TableRow } from './parse-transaction.ts';
import { newestOfEach, planByAdvisories, planUpgrade, relatedPackages } from './plan-upgrade.ts';
import type { RpmPlan, RpmTarget } from './plan-upgrade.ts';
import { rpmReader } from './read-rpm-database.ts';
import { readAdvisories, readOffers } from './read-offers.ts';
import { rpmDirectory } from './rpm-place.ts';
import { simulate } from './simulate.ts';
import type { Simulated } from './simulate.ts';
import { unsettledReason } from './unsettled.ts';

/** Security updates, by what the repositories say of them. */
const planSecurity = async (host: DnfHost, installed: readonly RpmPackage[]): Promise<RpmPlan> => {
  const wanted = (await readAdvisories(host)).filter(({ security }) => security);
  const related = relatedPackages(
    installed,
    wanted.map(({ name }) => name),
  );
  const found = await readOffers(
    host,
    related.map(({ name }) => name),
  );
  return planByAdvisories(installed, found, wanted);
};

const makePlan = async (
  host: DnfHost,
  request: UpgradeRequest,
  installed: readonly RpmPackage[],
): Promise<RpmPlan> => {
  if (request.mode === 'security') return planSecurity(host, installed);
  const names = request.packages.map(({ name }) => name);
  const found = await readOffers(
    host,
    relatedPackages(installed, names).map(({ name }) => name),
  );
  return planUpgrade(installed, found, request.packages);
};

/** Packages of which nothing would be left; the oldest of several kernels may go. */
const wouldVanish = (installed: readonly RpmPackage[], simulation: DnfSimulation): string[] => {
  const same = (a: { name: string; arch: string }, b: { name: string; arch: string }): boolean =>
    a.name === b.name && a.arch === b.arch;
  const gone = simulation.removes.filter((row) => {
    const stays = installed.some(
      (one) =>
        same(one, row) &&
        !simulation.removes.some(
          (other) => same(other, one) && compareRpmVersions(other.version, one.version) === 0,
        ),
    );
    return !stays && !simulation.installs.some((one) => same(one, row));
  });
  return [...new Set(gone.map(({ name }) => name))];
};

/** The simulation, or that it would remove packages where that is not allowed. */
const trySimulation = async (
  host: DnfHost,
  targets: readonly RpmTarget[],
  installed: readonly RpmPackage[],
  { allowRemove }: { allowRemove: boolean },
): Promise<Simulated> => {
  const refuse = (names: readonly string[]): Simulated => ({
    ok: false,
    reason: dnfFailure('would-remove', `the upgrade would remove ${names.join(', ')}`),
  });
  const simulated = await simulate(host, targets, { allowRemove });
  if (simulated.ok) {
    const names = wouldVanish(installed, simulated.simulation);
    return names.length === 0 || allowRemove ? simulated : refuse(names);
  }
  if (allowRemove || simulated.reason.kind !== 'unmet-dependencies') return simulated;
  // dnf speaks of a conflict; whether a removal would solve it is what a person wants to know.
  const erasing = await simulate(host, targets, { allowRemove: true });
  const names = erasing.ok ? wouldVanish(installed, erasing.simulation) : [];
  return names.length === 0 ? simulated : refuse(names);
};

const broughtBy = ({
  upgrades,
  installs,
}: DnfSimulation): (Omit<TableRow, 'version'> & { to: string })[] =>
  [...upgrades, ...installs].map(({ name, arch, version: to }) => ({ name, arch, to }));

/**
 * The same; what it would bring along in another version than was proved is upgraded to that one. What is not installed
 * cannot be named in an upgrade: it is then refused.
 */
const simulateAsProved = async (
  host: DnfHost,
  chosen: readonly RpmTarget[],
  installed: readonly RpmPackage[],
  { allowRemove, proved = [] }: { allowRemove: boolean; proved?: readonly ProvedVersion[] },
): Promise<{ targets: readonly RpmTarget[]; simulated: Simulated }> => {
  const first = await trySimulation(host, chosen, installed, { allowRemove });
  const others = first.ok ? notAsProved(broughtBy(first.simulation), proved) : [];
  if (others.length === 0) return { targets: chosen, simulated: first };
  const more = others.flatMap(({ name, arch, version: to }): RpmTarget[] =>
    newestOfEach(installed)
      .filter((one) => one.name === name && one.arch === arch)
      .map(({ version: from }) => ({ name, arch, from, to })),
  );
  const targets = [...chosen, ...more];
  const second = await trySimulation(host, targets, installed, { allowRemove });
  const left = second.ok ? notAsProved(broughtBy(second.simulation), proved) : others;
  if (left.length === 0) return { targets, simulated: second };
  const reason = otherThanProved(left, (message) => dnfFailure('unknown-version', message));
  return { targets, simulated: { ok: false, reason } };
};

export type Prepared =
  | { kind: 'refused'; reason: PackageFailure }
  | { kind: 'nothing'; held: string[] }
  | {
      kind: 'run';
      targets: readonly RpmTarget[];
      held: string[];
      before: readonly RpmPackage[];
    };

/** What is installed; or why rpm cannot say it, where a person can mend that. */
const readDatabase = async (
  host: DnfHost,
): Promise<{ before: readonly RpmPackage[] } | PackageFailure> => {
  try {
    return { before: await rpmReader()(host.rpm) };
  } catch (error) {
    const damaged = damagedDatabase(errorText(error), rpmDirectory(host.rpm));
    if (damaged === null) throw error;
    return damaged;
  }
};

/** Everything up to the point where packages would be changed. */
export const prepare = async (host: DnfHost, request: UpgradeRequest): Promise<Prepared> => {
  const busy = await waitForLocks(() => rpmLockHolders(host.rpm), host.lockTimeoutMs);
  if (busy !== null) return { kind: 'refused', reason: dnfFailure('lock-timeout', busy) };
  const read = await readDatabase(host);
  if ('kind' in read) return { kind: 'refused', reason: read };
  const { before } = read;
  const unsettled = await unsettledReason(host.rpm, before);
  if (unsettled !== null) return { kind: 'refused', reason: dnfFailure('interrupted', unsettled) };
  const plan = await makePlan(host, request, before);
  if (!plan.ok) return { kind: 'refused', reason: plan.reason };
  const { held } = plan;
  if (plan.targets.length === 0) return { kind: 'nothing', held };
  const { targets, simulated } = await simulateAsProved(host, plan.targets, before, request);
  if (!simulated.ok) return { kind: 'refused', reason: simulated.reason };
  return { kind: 'run', targets, held, before };
};
