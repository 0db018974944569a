import { errorText } from '../../core/error-text.ts';
import { finishUpgrade, refused, resumeUpgrade, saveResult } from '../packages/finish-upgrade.ts';
import type { PackageFailure } from '../packages/failure.ts';
import { readLockHolders } from '../packages/lock-holders.ts';
import type { UpgradeRequest, UpgradeResult } from '../packages/package-manager.ts';
import { awaitTransaction, runTransaction } from '../packages/run-transaction.ts';
import { waitForLocks } from '../packages/wait-for-locks.ts';
import { aptSurroundings, dpkgOptions, lockOption } from './apt-host.ts';
import type { AptHost } from './apt-host.ts';
import { dpkgLockPaths, unsettledReason } from './at-rest.ts';
import { aptEndReader } from './end-reader.ts';
import { awaitHealing, configureInterrupted, heal } from './heal.ts';
import type { Healed } from './heal.ts';
import { aptFailure } from './name-failure.ts';
import { presentPackages } from './parse-dpkg-status.ts';
import type { DpkgPackage } from './parse-dpkg-status.ts';
import { planSecurityUpgrade, planUpgrade, relatedPackages } from './plan-upgrade.ts';
import type { UpgradePlan, UpgradeTarget } from './plan-upgrade.ts';
import { readAutoMarks } from './read-auto-marks.ts';
import { readDpkgDatabase } from './read-dpkg-database.ts';
import { readOffers } from './read-offers.ts';
import { simulateAsProved } from './simulate-as-proved.ts';
import type { Simulation } from './parse-simulation.ts';

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
  const simulated = await simulateAsProved(host, plan.targets, request.proved ?? []);
  if (!simulated.ok) return { kind: 'refused', reason: simulated.reason };
  const reason = forbidden(simulated.simulation, request.allowRemove);
  if (reason !== null) return { kind: 'refused', reason };
  const { operands, targets } = simulated;
  return { kind: 'run', operands, targets, held: plan.held, before: database.packages };
};

const prepareHealed = async (
  host: AptHost,
  request: UpgradeRequest,
): Promise<{ prepared: Prepared; healed: Healed | null }> => {
  const prepared = await prepare(host, request);
  if (prepared.kind !== 'refused' || prepared.reason.kind !== 'interrupted')
    return { prepared, healed: null };
  const healed = await heal(host, request.id);
  if (healed.failure !== null)
    return { prepared: { kind: 'refused', reason: healed.failure }, healed };
  return { prepared: await prepare(host, request), healed };
};

/** What people are told was healed; nothing where that is told as a failure. */
const noteOf = (healed: Healed | null): { healed?: string } =>
  healed === null || healed.failure !== null || healed.from === null ? {} : { healed: healed.from };

/** The answer where no transaction was needed or allowed but the healing, which may have changed packages itself. */
const notRun = (
  prepared: Exclude<Prepared, { kind: 'run' }>,
  healed: Healed | null,
): UpgradeResult => {
  const { changes, transcript } = healed ?? { changes: [], transcript: null };
  const note = noteOf(healed);
  return prepared.kind === 'refused'
    ? { ...refused(prepared.reason), changes, transcript, ...note }
    : { ok: true, changes, transcript, held: prepared.held, ...note };
};

/** Gives the command of upgrade `id` again, unless that was done; `ended` is how it came to its first end. */
const giveAgain = async (
  host: AptHost,
  id: string,
  ended: UpgradeResult & { ok: false },
): Promise<UpgradeResult> => {
  const first = await awaitTransaction(host, id);
  if (first === null) return ended;
  const note = { healed: ended.reason.message };
  const again = `${id}.again`;
  let second = await awaitTransaction(host, again);
  if (second === null) {
    const reason = await configureInterrupted(host, id);
    if (reason !== null) return { ...ended, reason, ...note };
    const request = { ...first.request, ...note };
    // By name and version it also puts right what cannot be configured.
    second = { request, ...(await runTransaction(host, again, request, aptSurroundings(host))) };
  }
  const { before, held } = first.request;
  const end = { before, held, exitCode: second.exitCode, ...note };
  return finishUpgrade(host, again, end, aptEndReader(host));
};

/**
 * An upgrade whose dpkg was killed is healed at once and its command given again, once: until that is over no
 * container of the host may be restarted. What is told is what both have changed. One that was gone on with before,
 * or ended otherwise, is answered as it is.
 */
const goOn = async (host: AptHost, id: string, ended: UpgradeResult): Promise<UpgradeResult> => {
  if (ended.ok || ended.reason.kind !== 'interrupted' || ended.healed !== undefined) return ended;
  try {
    return await saveResult(host, id, await giveAgain(host, id, ended));
  } catch (error) {
    // What it has changed is told all the same.
    const message = `${ended.reason.message}; not gone on with: ${errorText(error)}`;
    return { ...ended, reason: { ...ended.reason, message } };
  }
};

/** The result of one that this process or an earlier one began. Null: it never began. */
export const resume = async (host: AptHost, id: string): Promise<UpgradeResult | null> => {
  const ended = await resumeUpgrade(host, id, aptEndReader(host));
  if (ended !== null) return goOn(host, id, ended);
  // Whoever hears that it never began may begin anew.
  await awaitHealing(host, id);
  return null;
};

/**
 * Upgrades packages in one apt transaction. Each goes to an exact version that was chosen before,
 * together with all installed binaries of its source. Nothing is newly marked as wanted, nothing is
 * removed unless allowed, holds are honoured. It waits for other managers as long as the host's
 * lock timeout says.
 *
 * What an interrupted dpkg has left is put right first, for with that apt refuses everything; and where its own dpkg is
 * killed it is healed and gone on with once.
 *
 * An id that was begun before is not done again: its transaction is awaited, and its result
 * answered. Throws only where apt or the database cannot be asked at all.
 */
export const upgrade = async (host: AptHost, request: UpgradeRequest): Promise<UpgradeResult> => {
  const resumed = await resume(host, request.id);
  if (resumed !== null) return resumed;
  const { prepared, healed } = await prepareHealed(host, request);
  if (prepared.kind !== 'run') return notRun(prepared, healed);
  const argv = [
    ...['apt-get', '-q', '-y', '--only-upgrade'],
    // What the simulation showed may have changed since.
    ...(request.allowRemove ? [] : ['--no-remove']),
    ...[...lockOption(host), ...dpkgOptions],
    ...['install', ...prepared.operands],
  ];
  const { held } = prepared;
  const before = healed?.before ?? presentPackages(prepared.before);
  const auto = await readAutoMarks(
    host,
    prepared.targets.filter(({ from }) => from !== ''),
  );
  const note = noteOf(healed);
  const { exitCode } = await runTransaction(
    host,
    request.id,
    { argv, before, held, auto, ...note },
    aptSurroundings(host),
  );
  const end = { before, held, exitCode, ...note };
  return goOn(host, request.id, await finishUpgrade(host, request.id, end, aptEndReader(host)));
};
