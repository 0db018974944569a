import { compareRpmVersions } from '../../core/versions/compare-rpm-versions.ts';
import type { PackageFailure } from '../packages/failure.ts';
import { finishUpgrade, refused, resumeUpgrade } from '../packages/finish-upgrade.ts';
import type { UpgradeRequest, UpgradeResult } from '../packages/package-manager.ts';
import { runTransaction } from '../packages/run-transaction.ts';
import { waitForLocks } from '../packages/wait-for-locks.ts';
import { dnfEnvironment } from './dnf-host.ts';
import type { DnfHost } from './dnf-host.ts';
import { dnfEndReader } from './end-reader.ts';
import { rpmLockHolders } from './locks.ts';
import { dnfFailure } from './name-failure.ts';
import { rpmDatabaseFormat, toInstalled } from './parse-rpm-packages.ts';
import type { RpmPackage } from './parse-rpm-packages.ts';
import type { DnfSimulation } from './parse-transaction.ts';
import { planByAdvisories, planUpgrade, relatedPackages } from './plan-upgrade.ts';
import type { RpmPlan, RpmTarget } from './plan-upgrade.ts';
import { rpmReader } from './read-rpm-database.ts';
import { readAdvisories, readOffers } from './read-offers.ts';
import { simulate, upgradeArguments } from './simulate.ts';
import type { Simulated } from './simulate.ts';
import { unsettledReason } from './unsettled.ts';

/** What can be asked of dnf: what can be asked of any manager, and advisories by their ids. */
export type DnfUpgradeRequest =
  | UpgradeRequest
  | { id: string; allowRemove: boolean; mode: 'advisories'; advisories: readonly string[] };

/** Security updates, or what certain advisories name. */
const planFromAdvisories = async (
  host: DnfHost,
  installed: readonly RpmPackage[],
  ids: readonly string[] | null,
): Promise<RpmPlan> => {
  const all = await readAdvisories(host, ids === null ? 'newer' : 'all');
  const unknown = ids?.find((id) => !all.some((advisory) => advisory.id === id));
  if (unknown !== undefined)
    return {
      ok: false,
      reason: dnfFailure(
        'unknown-version',
        `${unknown}: no repository of this host has that advisory for an installed package`,
      ),
    };
  const wanted = all.filter(({ id, security }) => (ids === null ? security : ids.includes(id)));
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
  request: DnfUpgradeRequest,
  installed: readonly RpmPackage[],
): Promise<RpmPlan> => {
  if (request.mode === 'security') return planFromAdvisories(host, installed, null);
  if (request.mode === 'advisories') return planFromAdvisories(host, installed, request.advisories);
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

type Prepared =
  | { kind: 'refused'; reason: PackageFailure }
  | { kind: 'nothing'; held: string[] }
  | {
      kind: 'run';
      targets: RpmTarget[];
      held: string[];
      before: readonly RpmPackage[];
      simulation: DnfSimulation;
    };

/** Everything up to the point where packages would be changed. */
const prepare = async (host: DnfHost, request: DnfUpgradeRequest): Promise<Prepared> => {
  const busy = await waitForLocks(() => rpmLockHolders(host.rpm), host.lockTimeoutMs);
  if (busy !== null) return { kind: 'refused', reason: dnfFailure('lock-timeout', busy) };
  const before = await rpmReader()(host.rpm);
  const unsettled = await unsettledReason(host.rpm, before);
  if (unsettled !== null) return { kind: 'refused', reason: dnfFailure('interrupted', unsettled) };
  const plan = await makePlan(host, request, before);
  if (!plan.ok) return { kind: 'refused', reason: plan.reason };
  const { targets, held } = plan;
  if (targets.length === 0) return { kind: 'nothing', held };
  const simulated = await trySimulation(host, targets, before, request);
  if (!simulated.ok) return { kind: 'refused', reason: simulated.reason };
  return { kind: 'run', targets, held, before, simulation: simulated.simulation };
};

/**
 * What an upgrade would do, without doing it: dnf's own simulation of the very transaction, or why it would be
 * refused. Null: there is nothing to do.
 */
export const planOnly = async (
  host: DnfHost,
  request: DnfUpgradeRequest,
): Promise<
  | { ok: true; simulation: DnfSimulation | null; held: string[] }
  | { ok: false; reason: PackageFailure }
> => {
  const prepared = await prepare(host, request);
  if (prepared.kind === 'refused') return { ok: false, reason: prepared.reason };
  const simulation = prepared.kind === 'run' ? prepared.simulation : null;
  return { ok: true, simulation, held: prepared.held };
};

/**
 * Upgrades packages in one dnf transaction. Each goes to an exact version that was chosen before, together with all
 * installed binaries of its source. Nothing is removed unless allowed, excludes and locked versions are honoured, no
 * key is imported. It waits for other managers as long as the host's lock timeout says.
 *
 * An id that was begun before is not done again: its transaction is awaited, and its result answered. Throws only
 * where dnf or the database cannot be asked at all.
 */
export const upgrade = async (
  host: DnfHost,
  request: DnfUpgradeRequest,
): Promise<UpgradeResult> => {
  const endReader = dnfEndReader(host.rpm);
  const resumed = await resumeUpgrade(host, request.id, endReader);
  if (resumed !== null) return resumed;
  const prepared = await prepare(host, request);
  if (prepared.kind === 'refused') return refused(prepared.reason);
  const { held } = prepared;
  if (prepared.kind === 'nothing') return { ok: true, changes: [], transcript: null, held };
  const argv = [
    // One yes, for the transaction: `-y` would also import any key that a repository names.
    ...['sh', '-c', 'echo y | "$0" "$@"', host.program, '--setopt=assumeyes=0'],
    // A lock that was free just now: dnf would wait for it without an end.
    ...['--setopt=exit_on_lock=1', ...upgradeArguments(prepared.targets, request)],
  ];
  const before = toInstalled(prepared.before);
  const { exitCode } = await runTransaction(
    host,
    request.id,
    { argv, before, held, auto: [] },
    { environment: dnfEnvironment(host), inventory: rpmDatabaseFormat },
  );
  return finishUpgrade(host, request.id, { before, held, exitCode }, endReader);
};
