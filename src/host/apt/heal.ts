import { errorText } from '../../core/error-text.ts';
import { packageChanges } from '../../core/package-changes.ts';
import type { InstalledPackage, PackageChange } from '../../core/packages.ts';
import { compareDebVersions } from '../../core/versions/compare-deb-versions.ts';
import type { PackageFailure } from '../packages/failure.ts';
import { readLockHolders } from '../packages/lock-holders.ts';
import { awaitTransaction, readTranscript, runTransaction } from '../packages/run-transaction.ts';
import { scriptsAtWork } from '../packages/scripts-at-work.ts';
import { waitForLocks } from '../packages/wait-for-locks.ts';
import { aptSurroundings, dpkgOptions, keepConfiguration, lockOption } from './apt-host.ts';
import type { AptHost } from './apt-host.ts';
import { dpkgLockPaths, unsettledReason } from './at-rest.ts';
import { aptFailure, nameFailure } from './name-failure.ts';
import { presentPackages } from './parse-dpkg-status.ts';
import type { DpkgPackage } from './parse-dpkg-status.ts';
import { relatedPackages } from './plan-upgrade.ts';
import { readAutoMarks } from './read-auto-marks.ts';
import { readDpkgDatabase } from './read-dpkg-database.ts';
import { operandOf, readOffers } from './read-offers.ts';
import { simulate } from './simulate.ts';

/** What became of an interrupted dpkg. */
export interface Healed {
  /** Null: its database is at rest. */
  failure: PackageFailure | null;
  /** What kept it from being so, for people. Null: nothing was put right. */
  from: string | null;
  /** The inventory as it was found. */
  before: InstalledPackage[];
  changes: PackageChange[];
  /** What was said last; null where nothing was run. */
  transcript: string | null;
}

/** A transaction that heals. */
interface Transaction {
  argv: string[];
  auto: string[];
}

interface Step {
  /** Joined to the id of the upgrade it names the transaction. */
  name: string;
  /** Seen from the database as it is when no other package manager is at work. Null: there is nothing to do. */
  make: (
    host: AptHost,
    packages: readonly DpkgPackage[],
  ) => Promise<Transaction | PackageFailure | null>;
}

interface Ran {
  exitCode: number | null;
  transcript: string;
  failure: PackageFailure;
}

/** Where dpkg runs the scripts of packages from: those that are installed, and of one that it unpacks. */
export const DPKG_SCRIPT =
  /^\/var\/lib\/dpkg\/(?:info\/.+\.(?:preinst|postinst|prerm|postrm)|tmp\.ci\/.+)$/;

const isPresent = ({ state }: DpkgPackage): boolean =>
  state !== 'not-installed' && state !== 'config-files';

/** What dpkg died at while it changed its files (dpkg(1): reinst-required). */
const isHalfInstalled = ({ want, state, flag }: DpkgPackage): boolean =>
  want === 'install' && (flag === 'reinstreq' || state === 'half-installed');

/** Not what is half configured: its own script failed, which would only fail once more. */
const isBroken = (one: DpkgPackage): boolean =>
  isHalfInstalled(one) || (one.want === 'install' && one.state === 'unpacked');

const notHealed = (message: string): string => `dpkg was interrupted, and not healed: ${message}`;

/** Kinds of failure that mean the same while it is healed; others speak of an upgrade that was ordered, and so do their remedies. */
const meansTheSame: ReadonlySet<PackageFailure['kind']> = new Set([
  ...(['lock-timeout', 'repository-unreachable', 'repository-missing'] as const),
  ...(['repository-untrusted', 'disk-full', 'read-only', 'package-failed'] as const),
]);

const ofHealing = ({ kind, message, remedy }: PackageFailure): PackageFailure =>
  meansTheSame.has(kind)
    ? { kind, message: notHealed(message), remedy }
    : aptFailure('interrupted', notHealed(message));

/** A removal that was begun is for a person to end or to take back, and would be ended by any step. Null: there is none. */
const begunRemoval = (packages: readonly DpkgPackage[]): PackageFailure | null => {
  const found = packages.find(
    (one) =>
      (one.want === 'deinstall' || one.want === 'purge') &&
      isPresent(one) &&
      one.state !== 'installed',
  );
  if (found === undefined) return null;
  const name = operandOf(found);
  return {
    ...aptFailure('interrupted', notHealed(`a removal of ${name} was begun`)),
    remedy: `end it (\`dpkg --${found.want === 'purge' ? 'purge' : 'remove'} ${name}\`), or install ${name} again`,
  };
};

const configureAll: Step['make'] = () =>
  Promise.resolve({ argv: ['dpkg', ...keepConfiguration, '--configure', '-a'], auto: [] });

/**
 * What is half installed cannot be configured, nor what lacks another package of its source in its own version, and
 * `apt-get --fix-broken install` leaves the first as it is. So the first are installed again, by name, and what is there of
 * the same sources is upgraded with them, each in the version that apt would take. What is unpacked is not named: apt
 * configures it by itself, and finds no file for it (an internal error of its own) where it is told to install it again.
 * Nothing else is changed by it; a failure where it would have to be. Null: nothing can be done so.
 */
const reinstallation: Step['make'] = async (host, packages) => {
  const broken = packages.filter(isBroken);
  if (broken.length === 0) return null;
  const present = packages.filter(isPresent);
  const wanted = broken.map(({ name }) => ({ name, want: 'newest' as const, version: null }));
  const related = relatedPackages(present, wanted).filter(({ want }) => want === 'install');
  const offers = await readOffers(host, related);
  const targets = related.flatMap((one) => {
    const offer = offers.find(({ name, arch }) => name === one.name && arch === one.arch);
    const candidate = offer?.candidate ?? null;
    const isNewer = candidate !== null && compareDebVersions(candidate, one.version) > 0;
    // One that was never installed whole may have no version.
    return isNewer || (isHalfInstalled(one) && one.version !== '')
      ? [{ one, operand: `${operandOf(one)}=${isNewer ? candidate : one.version}` }]
      : [];
  });
  if (targets.length === 0) return null;
  const args = [
    ...['--reinstall', '--only-upgrade', '--no-install-recommends', '--no-remove'],
    ...['install', ...targets.map(({ operand }) => operand)],
  ];
  const simulated = await simulate(host, args);
  if (!simulated.ok) return ofHealing(simulated.reason);
  const other = simulated.simulation.installs.find(
    ({ name, arch }) =>
      !targets.some(({ one }) => one.name === name && [arch, 'all'].includes(one.arch)),
  );
  if (other !== undefined)
    return aptFailure('interrupted', notHealed(`that would change ${other.name} as well`));
  return {
    argv: ['apt-get', '-q', '-y', ...lockOption(host), ...dpkgOptions, ...args],
    auto: await readAutoMarks(
      host,
      targets.map(({ one }) => one),
    ),
  };
};

const transactionId = (id: string, { name }: Step): string => `${id}.${name}`;

const ranAs = async (host: AptHost, id: string, exitCode: number | null): Promise<Ran> => {
  const { path: transcript, tail } = await readTranscript(host, id);
  return { exitCode, transcript, failure: nameFailure(tail, exitCode ?? 0) };
};

/** Why it could not be put right: what was said last, where that tells more than what is left. */
const failureOf = (left: string, { exitCode, failure }: Ran): PackageFailure =>
  ofHealing(exitCode === 0 || failure.kind === 'other' ? aptFailure('interrupted', left) : failure);

/**
 * Waits until no package manager, and no script of a package, is at work, and does the next step then. One that an
 * earlier life began is awaited, and not done again. Answers what was run, or why not; null: nothing is to be put right, or
 * can be by this.
 */
const runStep = async (
  host: AptHost,
  id: string,
  step: Step,
): Promise<Ran | PackageFailure | null> => {
  const name = transactionId(id, step);
  const ended = await awaitTransaction(host, name);
  if (ended !== null) return ranAs(host, name, ended.exitCode);
  const lockPaths = dpkgLockPaths(host.root);
  const busy = await waitForLocks(
    () => [...readLockHolders(lockPaths), ...scriptsAtWork(host, DPKG_SCRIPT)],
    host.lockTimeoutMs,
  );
  if (busy !== null) return aptFailure('lock-timeout', busy);
  const { packages, journalEntries } = await readDpkgDatabase(host.root);
  if (unsettledReason({ packages, journalEntries }) === null) return null;
  const made = await step.make(host, packages);
  if (made === null || 'kind' in made) return made;
  const request = { ...made, before: presentPackages(packages), held: [] };
  const { exitCode } = await runTransaction(host, name, request, aptSurroundings(host));
  return ranAs(host, name, exitCode);
};

const goingOn: Step = { name: 'configure', make: configureAll };

/**
 * Configures what an interrupted dpkg of upgrade `id` itself has unpacked, once nobody else is at work. Answers why it
 * could not be begun; what it came to, the database tells.
 */
export const configureInterrupted = async (
  host: AptHost,
  id: string,
): Promise<PackageFailure | null> => {
  const done = await runStep(host, id, goingOn);
  return done !== null && 'kind' in done ? done : null;
};

/** Nothing is done where a removal was begun. */
const unlessRemoving =
  (make: Step['make']): Step['make'] =>
  async (host, packages) =>
    begunRemoval(packages) ?? make(host, packages);

/** Not by the names of `goingOn`: what is healed before an upgrade says nothing of its own dpkg. */
const healing: readonly Step[] = [
  { name: 'heal-configure', make: unlessRemoving(configureAll) },
  { name: 'heal-reinstall', make: unlessRemoving(reinstallation) },
];

/** Waits for what an earlier life began to heal before upgrade `id`, and did not see the end of. */
export const awaitHealing = async (host: AptHost, id: string): Promise<void> => {
  for (const step of healing) await awaitTransaction(host, transactionId(id, step));
};

/** Answers what was run last, and why it went no further. */
const runAll = async (
  host: AptHost,
  id: string,
): Promise<{ last: Ran | null; failure: PackageFailure | null }> => {
  let last: Ran | null = null;
  try {
    for (const step of healing) {
      const done = await runStep(host, id, step);
      if (done === null) break;
      if ('kind' in done) return { last, failure: done };
      last = done;
    }
    return { last, failure: null };
  } catch (error) {
    // What was done already is told all the same.
    return { last, failure: aptFailure('interrupted', notHealed(errorText(error))) };
  }
};

/**
 * Puts right what a dpkg left that was interrupted (killed, out of memory or disk, a crash of the machine), in
 * whichever phase of an installation or upgrade: what is unpacked is configured, what is still broken then is installed again.
 * `unattended-upgrades` does the first of it as well (AutoFixInterruptedDpkg), and asks nobody either. `id` is the upgrade's
 * before which it is done.
 */
export const heal = async (host: AptHost, id: string): Promise<Healed> => {
  const found = await readDpkgDatabase(host.root);
  const before = presentPackages(found.packages);
  const { last, failure } = await runAll(host, id);
  const now = await readDpkgDatabase(host.root);
  const left = unsettledReason(now);
  // Others may have put it right, or still be at it: then none of it is ours.
  if (last === null)
    return {
      failure: left === null ? null : (failure ?? aptFailure('interrupted', notHealed(left))),
      ...{ from: null, before: presentPackages(now.packages), changes: [], transcript: null },
    };
  return {
    failure: left === null ? null : (failure ?? failureOf(left, last)),
    ...{ from: unsettledReason(found), before, transcript: last.transcript },
    changes: packageChanges(before, presentPackages(now.packages)),
  };
};
