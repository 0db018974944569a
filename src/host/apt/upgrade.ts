import { join } from 'node:path';
import { packageChanges } from '../../core/package-changes.ts';
import { finishUpgrade, refused, resumeUpgrade } from '../packages/finish-upgrade.ts';
import type { PackageFailure } from '../packages/failure.ts';
import { readLockHolders } from '../packages/lock-holders.ts';
import type { UpgradeRequest, UpgradeResult } from '../packages/package-manager.ts';
import { runTransaction } from '../packages/run-transaction.ts';
import { waitForLocks } from '../packages/wait-for-locks.ts';
import { aptEnvironment, lockOption } from './apt-host.ts';
import type { AptHost } from './apt-host.ts';
import { dpkgLockPaths, unsettledReason } from './at-rest.ts';
import { aptEndReader } from './end-reader.ts';
import { aptFailure } from './name-failure.ts';
import { presentPackages } from './parse-dpkg-status.ts';
import type { DpkgPackage } from './parse-dpkg-status.ts';
import { aptOperands, planSecurityUpgrade, planUpgrade, relatedPackages } from './plan-upgrade.ts';
import type { UpgradePlan, UpgradeTarget } from './plan-upgrade.ts';
import { readAutoMarks } from './read-auto-marks.ts';
import { DPKG_DIRECTORY, readDpkgDatabase } from './read-dpkg-database.ts';
import { readOffers } from './read-offers.ts';
import { simulate } from './simulate.ts';
import type { Simulation } from './parse-simulation.ts';

/** Keep configuration files that were changed by hand; take the package's where they were not. */
const KEEP_CONFIGURATION = [
  ...['-o', 'DPkg::Options::=--force-confdef'],
  ...['-o', 'DPkg::Options::=--force-confold'],
];

const makePlan = async (
  host: AptHost,
  request: UpgradeRequest,
  packages: readonly DpkgPackage[],
): Promise<UpgradePlan> => {
  const installed = packages.filter(({ state }) => state === 'installed');
  if (request.mode === 'security')
    return planSecurityUpgrade(installed, await readOffers(host, installed));
  const related = relatedPackages(installed, request.packages);
  return planUpgrade(installed, await readOffers(host, related), request.packages);
};

/** What apt would do besides what it is asked for, where that is not allowed. */
const forbidden = (simulation: Simulation, allowRemove: boolean): PackageFailure | null => {
  const names = simulation.removes.map(({ name }) => name);
  if (names.length === 0 || allowRemove) return null;
  return aptFailure('would-remove', `the upgrade would remove ${names.join(', ')}`);
};

type Prepared =
  | { kind: 'refused'; reason: PackageFailure }
  | { kind: 'nothing'; held: string[] }
  | {
      kind: 'run';
      operands: string[];
      targets: UpgradeTarget[];
      held: string[];
      before: readonly DpkgPackage[];
    };

/** Everything up to the point where packages would be changed. */
const prepare = async (host: AptHost, request: UpgradeRequest): Promise<Prepared> => {
  const lockPaths = dpkgLockPaths(host.root);
  const busy = await waitForLocks(() => readLockHolders(lockPaths), host.lockTimeoutMs);
  if (busy !== null) return { kind: 'refused', reason: aptFailure('lock-timeout', busy) };
  const database = await readDpkgDatabase(host.root);
  const unsettled = unsettledReason(database);
  if (unsettled !== null) return { kind: 'refused', reason: aptFailure('interrupted', unsettled) };
  const plan = await makePlan(host, request, database.packages);
  if (!plan.ok) return { kind: 'refused', reason: plan.reason };
  if (plan.targets.length === 0) return { kind: 'nothing', held: plan.held };
  const operands = aptOperands(plan.targets);
  const simulated = await simulate(host, ['--only-upgrade', 'install', ...operands]);
  if (!simulated.ok) return { kind: 'refused', reason: simulated.reason };
  const reason = forbidden(simulated.simulation, request.allowRemove);
  if (reason !== null) return { kind: 'refused', reason };
  const { targets, held } = plan;
  return { kind: 'run', operands, targets, held, before: database.packages };
};

/**
 * What an upgrade would do, without doing it: apt's own simulation of the very transaction, or why
 * it would be refused. Null: there is nothing to do.
 */
export const planOnly = async (
  host: AptHost,
  request: UpgradeRequest,
): Promise<
  | { ok: true; simulation: Simulation | null; held: string[] }
  | { ok: false; reason: PackageFailure }
> => {
  const prepared = await prepare(host, request);
  if (prepared.kind === 'refused') return { ok: false, reason: prepared.reason };
  if (prepared.kind === 'nothing') return { ok: true, simulation: null, held: prepared.held };
  const simulated = await simulate(host, ['--only-upgrade', 'install', ...prepared.operands]);
  if (!simulated.ok) return simulated;
  return { ok: true, simulation: simulated.simulation, held: prepared.held };
};

/**
 * Upgrades packages in one apt transaction. Each goes to an exact version that was chosen before,
 * together with all installed binaries of its source. Nothing is newly marked as wanted, nothing is
 * removed unless allowed, holds are honoured. It waits for other managers as long as the host's
 * lock timeout says.
 *
 * An id that was begun before is not done again: its transaction is awaited, and its result
 * answered. Throws only where apt or the database cannot be asked at all.
 */
export const upgrade = async (host: AptHost, request: UpgradeRequest): Promise<UpgradeResult> => {
  const endReader = aptEndReader(host);
  const resumed = await resumeUpgrade(host, request.id, endReader);
  if (resumed !== null) return resumed;
  const prepared = await prepare(host, request);
  if (prepared.kind === 'refused') return refused(prepared.reason);
  if (prepared.kind === 'nothing')
    return { ok: true, changes: packageChanges([], []), transcript: null, held: prepared.held };
  const argv = [
    ...['apt-get', '-q', '-y', '--only-upgrade'],
    // What the simulation showed may have changed since.
    ...(request.allowRemove ? [] : ['--no-remove']),
    ...[...lockOption(host), ...KEEP_CONFIGURATION, '-o', 'DPkg::Use-Pty=0'],
    ...['install', ...prepared.operands],
  ];
  const { held } = prepared;
  const before = presentPackages(prepared.before);
  const auto = await readAutoMarks(host, prepared.targets);
  const { exitCode } = await runTransaction(
    host,
    request.id,
    { argv, before, held, auto },
    { environment: aptEnvironment(host), inventory: join(host.root, DPKG_DIRECTORY, 'status') },
  );
  return finishUpgrade(host, request.id, { before, held, exitCode }, endReader);
};
