import { errorText } from '../../core/error-text.ts';
import { packageChanges } from '../../core/package-changes.ts';
import type { InstalledPackage, PackageChange } from '../../core/packages.ts';
import type { PackageFailure } from '../packages/failure.ts';
import { awaitTransaction, readTranscript, runTransaction } from '../packages/run-transaction.ts';
import { scriptsAtWork } from '../packages/scripts-at-work.ts';
import { waitForLocks } from '../packages/wait-for-locks.ts';
import { dnfEnvironment } from './dnf-host.ts';
import type { DnfHost } from './dnf-host.ts';
import {
  cleanUp,
  complete,
  keyOf,
  notHealed,
  ofHealing,
  olderOf,
  reinstall,
} from './heal-steps.ts';
import type { Made, Version } from './heal-steps.ts';
import { rpmLockHolders } from './locks.ts';
import { dnfFailure, nameFailure } from './name-failure.ts';
import { rpmDatabaseFormat, toInstalled } from './parse-rpm-packages.ts';
import type { RpmPackage } from './parse-rpm-packages.ts';
import { rpmReader } from './read-rpm-database.ts';
import { transactionCommand } from './simulate.ts';
import { describeLeftOver, duplicates, unsettledReason } from './unsettled.ts';

/** What became of what a broken-off transaction had left. */
export interface Healed {
  /** Null: the database is at rest. */
  failure: PackageFailure | null;
  /** What kept it from being so, for people. Null: nothing was put right. */
  from: string | null;
  /** The inventory as it was found. */
  before: InstalledPackage[];
  changes: PackageChange[];
  /** What was said last; null where nothing was run. */
  transcript: string | null;
}

/** Whose transaction was broken off, by which the steps are named: what is healed before an upgrade says nothing of its own. */
export type BrokenOff = 'before' | 'own';

type Step = `${BrokenOff}-${'complete' | 'clean-up' | 'reinstall'}`;

/** Where rpm runs the scripts of packages from. */
const SCRIPT = /^\/(?:var\/)?tmp\/rpm-tmp\.\w+$/;

interface Ran {
  exitCode: number | null;
  transcript: string;
  failure: PackageFailure;
  before: readonly InstalledPackage[];
}

const ranAs = async (
  host: DnfHost,
  id: string,
  exitCode: number | null,
  before: readonly InstalledPackage[],
): Promise<Ran> => {
  const { path: transcript, tail } = await readTranscript(host, id);
  return { exitCode, transcript, failure: nameFailure(tail, exitCode ?? 0), before };
};

/** Waits until no package manager, and no script of a package, is at work; why that did not come. */
export const waitUntilIdle = async (host: DnfHost): Promise<PackageFailure | null> => {
  const busy = await waitForLocks(
    () => [...rpmLockHolders(host.rpm), ...scriptsAtWork(host, SCRIPT)],
    host.lockTimeoutMs,
  );
  return busy === null ? null : dnfFailure('lock-timeout', busy);
};

/**
 * Does a step once nobody is at work. One that an earlier life
 * began is awaited, and not done again.
 */
const runStep = async (
  host: DnfHost,
  id: string,
  step: Step,
  make: (packages: readonly RpmPackage[]) => Promise<Made>,
): Promise<Ran | PackageFailure | null> => {
  const name = `${id}.${step}`;
  const ended = await awaitTransaction(host, name);
  if (ended !== null) return ranAs(host, name, ended.exitCode, ended.request.before);
  const busy = await waitUntilIdle(host);
  if (busy !== null) return busy;
  const packages = await rpmReader()(host.rpm);
  const made = await make(packages);
  if (made === null || 'kind' in made) return made;
  const before = toInstalled(packages);
  const { exitCode } = await runTransaction(
    host,
    name,
    { argv: transactionCommand(host, made.args), before, held: [], auto: [] },
    { environment: dnfEnvironment(host), inventory: rpmDatabaseFormat },
  );
  return ranAs(host, name, exitCode, before);
};

/** Why what stayed was not installed again; the files of it are whole. Empty: it was. */
const notAgain = (again: Ran | PackageFailure | null): string => {
  const reason =
    again === null ? null : 'kind' in again ? again : again.exitCode === 0 ? null : again.failure;
  return reason === null
    ? ''
    : `; not installed again, so that scripts of it may not have run: ${reason.message}`;
};

interface Steps {
  /** What was run, in order. */
  ran: Ran[];
  failure: PackageFailure | null;
  note: string;
}

const runSteps = async (host: DnfHost, id: string, whose: BrokenOff): Promise<Steps> => {
  const ran: Ran[] = [];
  const over = (failure: PackageFailure | null, note = ''): Steps => ({ ran, failure, note });
  try {
    for (const [name, make] of [
      ['complete', complete(host)],
      ['clean-up', cleanUp(host)],
    ] as const) {
      const done = await runStep(host, id, `${whose}-${name}`, make);
      if (done === null) continue;
      if ('kind' in done) return over(done);
      ran.push(done);
      if (done.exitCode !== 0) return over(ofHealing(done.failure));
    }
    const cleaned = ran.at(-1);
    if (cleaned === undefined) return over(null);
    const again = await runStep(host, id, `${whose}-reinstall`, reinstall(host, cleaned.before));
    if (again !== null && !('kind' in again)) ran.push(again);
    return over(null, notAgain(again));
  } catch (error) {
    // What was done already is told all the same.
    return over(notHealed(errorText(error)));
  }
};

/**
 * Puts right what a transaction left that was broken off (dnf killed, out of memory, a crash of the machine): of packages
 * that are there in an older version beside the newest, which is whole, the older one is taken away, as the transaction would have
 * done last, and the newest installed again, so that its scripts have run, as `dnf remove --duplicates` does it; what was built
 * with them and needs the older one comes to the newest before. Nothing else is changed. `id` is the upgrade's before which, or for
 * which, it is done.
 */
export const heal = async (host: DnfHost, id: string, whose: BrokenOff): Promise<Healed> => {
  const { ran, failure, note } = await runSteps(host, id, whose);
  const now = toInstalled(await rpmReader()(host.rpm));
  const left = await unsettledReason(host.rpm, now);
  const why = left === null ? null : (failure ?? notHealed(left));
  const [first, last] = [ran[0], ran.at(-1)];
  // Others may have put it right, or still be at it: then none of it is ours.
  if (first === undefined || last === undefined)
    return { failure: why, from: null, before: now, changes: [], transcript: null };
  const before = [...first.before];
  // Of what is there once by now it cannot be asked any more which may be there twice.
  const from = describeLeftOver(
    duplicates(before).filter((one) => !now.some(isOneOf(olderOf([one])))),
  );
  return {
    ...{ failure: why, from: `${from ?? left ?? ''}${note}`, before },
    ...{ transcript: last.transcript, changes: packageChanges(before, now) },
  };
};

const isOneOf =
  (some: readonly Version[]) =>
  (one: Version): boolean =>
    some.some((other) => keyOf(other) === keyOf(one));

/** Whether an earlier life began to heal for upgrade `id`; waits for what it began. */
export const hasBegunHealing = async (
  host: DnfHost,
  id: string,
  whose: BrokenOff,
): Promise<boolean> => {
  let begun = false;
  for (const step of ['complete', 'clean-up', 'reinstall'] as const)
    if ((await awaitTransaction(host, `${id}.${whose}-${step}`)) !== null) begun = true;
  return begun;
};
