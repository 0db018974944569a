import { errorText } from '../../core/error-text.ts';
import { packageChanges } from '../../core/package-changes.ts';
import { finishUpgrade, refused, resumeUpgrade, saveResult } from '../packages/finish-upgrade.ts';
import type { PackageFailure } from '../packages/failure.ts';
import type { UpgradeRequest, UpgradeResult } from '../packages/package-manager.ts';
import { awaitTransaction, readTranscript, runTransaction } from '../packages/run-transaction.ts';
import type { TransactionRequest } from '../packages/run-transaction.ts';
import { dnfEnvironment } from './dnf-host.ts';
import type { DnfHost } from './dnf-host.ts';
import { dnfEndReader } from './end-reader.ts';
import { hasBegunHealing, heal, waitUntilIdle } from './heal.ts';
import type { Healed } from './heal.ts';
import { rpmDatabaseFormat, toInstalled } from './parse-rpm-packages.ts';
import { dnfOperands } from './plan-upgrade.ts';
import { prepare } from './prepare-upgrade.ts';
import type { Prepared } from './prepare-upgrade.ts';
import { rpmReader } from './read-rpm-database.ts';
import { transactionCommand, upgradeArguments } from './simulate.ts';
import { unsettledReason } from './unsettled.ts';

/** What others have left is put right first; also where an earlier life has begun with that, which may not be over. */
const prepareHealed = async (
  host: DnfHost,
  request: UpgradeRequest,
): Promise<{ prepared: Prepared; healed: Healed | null }> => {
  if (!(await hasBegunHealing(host, request.id, 'before'))) {
    const prepared = await prepare(host, request);
    if (prepared.kind !== 'refused' || prepared.reason.kind !== 'interrupted')
      return { prepared, healed: null };
  }
  const healed = await heal(host, request.id, 'before');
  if (healed.failure !== null)
    return { prepared: { kind: 'refused', reason: healed.failure }, healed };
  return { prepared: await prepare(host, request), healed };
};

/** What people are told was healed; nothing where that is told as a failure. */
const noteOf = (healed: Healed | null): { healed?: string } =>
  healed === null || healed.failure !== null || healed.from === null ? {} : { healed: healed.from };

/** The answer where no transaction was needed or allowed but the healing, which has changed packages itself. */
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

/** The command without the packages that are there already as it asks for them; null: all of them are. */
const whatIsLeft = async (host: DnfHost, argv: readonly string[]): Promise<string[] | null> => {
  const packages = await rpmReader()(host.rpm);
  const there = new Set(
    dnfOperands(packages.map(({ name, arch, version: to }) => ({ name, arch, from: '', to }))),
  );
  const operands = argv.slice(argv.indexOf('upgrade') + 1).filter((word) => !word.startsWith('-'));
  const left = argv.filter((word) => !there.has(word));
  return operands.every((word) => there.has(word)) ? null : left;
};

/** Why the rest of a transaction that was broken off was not done; null: it was, or all of it was done already. */
const doRest = async (
  host: DnfHost,
  id: string,
  first: TransactionRequest,
): Promise<PackageFailure | null> => {
  const ended = await awaitTransaction(host, id);
  let exitCode = ended?.exitCode ?? null;
  if (ended === null) {
    const busy = await waitUntilIdle(host);
    if (busy !== null) return busy;
    const argv = await whatIsLeft(host, first.argv);
    if (argv === null) return null;
    const surroundings = { environment: dnfEnvironment(host), inventory: rpmDatabaseFormat };
    ({ exitCode } = await runTransaction(host, id, { ...first, argv }, surroundings));
  }
  const { tail } = await readTranscript(host, id);
  return exitCode === 0 ? null : dnfEndReader(host.rpm).failureOf(tail, exitCode);
};

/**
 * Gives the command of upgrade `id`, whose dnf was killed, again for what it did not come to, and heals what that has left. In
 * this order: what is not upgraded yet may need what is older.
 */
const giveAgain = async (
  host: DnfHost,
  id: string,
  ended: UpgradeResult & { ok: false },
): Promise<UpgradeResult> => {
  const first = await awaitTransaction(host, id);
  if (first === null) return ended;
  const { before, held } = first.request;
  const failure = await doRest(host, `${id}.again`, first.request);
  const healed = await heal(host, id, 'own');
  const changes = packageChanges(before, toInstalled(await rpmReader()(host.rpm)));
  const transcript = healed.transcript ?? ended.transcript;
  const done = { changes, transcript, held, healed: healed.from ?? ended.reason.message };
  const reason = failure ?? healed.failure;
  return reason === null ? { ok: true, ...done } : { ok: false, reason, ...done };
};

/**
 * An upgrade whose dnf was killed between an installation and its clean-up is gone on with at once, and healed, once:
 * until that is over no container of the host may be restarted. What is told is what both have changed. One that was gone on
 * with before, or ended otherwise, is answered as it is.
 */
const goOn = async (host: DnfHost, id: string, ended: UpgradeResult): Promise<UpgradeResult> => {
  if (ended.ok || ended.reason.kind !== 'killed' || ended.healed !== undefined) return ended;
  try {
    const isLeft =
      (await unsettledReason(host.rpm, await rpmReader()(host.rpm))) !== null ||
      (await awaitTransaction(host, `${id}.again`)) !== null ||
      (await hasBegunHealing(host, id, 'own'));
    return isLeft ? await saveResult(host, id, await giveAgain(host, id, ended)) : ended;
  } catch (error) {
    // What it has changed is told all the same.
    const message = `${ended.reason.message}; not gone on with: ${errorText(error)}`;
    return { ...ended, reason: { ...ended.reason, message } };
  }
};

/** The result of one that this process or an earlier one began. Null: it never began. */
export const resume = async (host: DnfHost, id: string): Promise<UpgradeResult | null> => {
  const ended = await resumeUpgrade(host, id, dnfEndReader(host.rpm));
  if (ended !== null) return goOn(host, id, ended);
  // Whoever hears that it never began may begin anew.
  await hasBegunHealing(host, id, 'before');
  return null;
};

/**
 * Upgrades packages in one dnf transaction. Each goes to an exact version that was chosen before, together with all
 * installed binaries of its source. Nothing is removed unless allowed, excludes and locked versions are honoured, no
 * key is imported. It waits for other managers as long as the host's lock timeout says.
 *
 * What a broken-off transaction has left is put right first; and where its own dnf is killed it is healed and gone on with once.
 *
 * An id that was begun before is not done again: its transaction is awaited, and its result answered. Throws only
 * where dnf or the database cannot be asked at all.
 */
export const upgrade = async (host: DnfHost, request: UpgradeRequest): Promise<UpgradeResult> => {
  const resumed = await resume(host, request.id);
  if (resumed !== null) return resumed;
  const { prepared, healed } = await prepareHealed(host, request);
  if (prepared.kind !== 'run') return notRun(prepared, healed);
  const { held } = prepared;
  const before = healed?.before ?? toInstalled(prepared.before);
  const note = noteOf(healed);
  const argv = transactionCommand(host, upgradeArguments(prepared.targets, request));
  const { exitCode } = await runTransaction(
    host,
    request.id,
    { argv, before, held, auto: [], ...note },
    { environment: dnfEnvironment(host), inventory: rpmDatabaseFormat },
  );
  const end = { before, held, exitCode, ...note };
  return goOn(host, request.id, await finishUpgrade(host, request.id, end, dnfEndReader(host.rpm)));
};
