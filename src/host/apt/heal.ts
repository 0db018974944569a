import { join } from 'node:path';
import { packageChanges } from '../../core/package-changes.ts';
import type { InstalledPackage, PackageChange } from '../../core/packages.ts';
import { compareDebVersions } from '../../core/versions/compare-deb-versions.ts';
import type { PackageFailure } from '../packages/failure.ts';
import { readLockHolders } from '../packages/lock-holders.ts';
import { awaitTransaction, readTranscript, runTransaction } from '../packages/run-transaction.ts';
import { waitForLocks } from '../packages/wait-for-locks.ts';
import { aptEnvironment, dpkgOptions, keepConfiguration, lockOption } from './apt-host.ts';
import type { AptHost } from './apt-host.ts';
import { dpkgLockPaths, unsettledReason } from './at-rest.ts';
import { aptFailure, nameFailure } from './name-failure.ts';
import { presentPackages } from './parse-dpkg-status.ts';
import type { DpkgPackage } from './parse-dpkg-status.ts';
import { relatedPackages } from './plan-upgrade.ts';
import { readAutoMarks } from './read-auto-marks.ts';
import { DPKG_DIRECTORY, readDpkgDatabase } from './read-dpkg-database.ts';
import { operandOf, readOffers } from './read-offers.ts';
import { simulate } from './simulate.ts';

/** What became of an interrupted dpkg. */
export interface Healed {
  /** Null: its database is at rest. */
  failure: PackageFailure | null;
  /** What kept it from being so, for people. */
  from: string;
  /** The inventory as it was found. */
  before: InstalledPackage[];
  changes: PackageChange[];
  /** What was said last; null where nothing was run. */
  transcript: string | null;
}

/** A transaction that heals. */
interface Step {
  id: string;
  argv: string[];
  auto: string[];
}

/** What is done next, seen from the database as it is when no other package manager is at work. Null: nothing. */
type MakeStep = (
  host: AptHost,
  id: string,
  packages: readonly DpkgPackage[],
) => Promise<Step | PackageFailure | null>;

interface Ran {
  exitCode: number | null;
  transcript: string;
  failure: PackageFailure;
}

const isPresent = ({ state }: DpkgPackage): boolean =>
  state !== 'not-installed' && state !== 'config-files';

/** What dpkg died at while it changed its files (dpkg(1): reinst-required). */
const isHalfInstalled = ({ want, state, flag }: DpkgPackage): boolean =>
  want === 'install' && (flag === 'reinstreq' || state === 'half-installed');

/** Not what is half configured: its own script failed, which would only fail once more. */
const isBroken = (one: DpkgPackage): boolean =>
  isHalfInstalled(one) || (one.want === 'install' && one.state === 'unpacked');

const notHealed = (message: string): string => `dpkg was interrupted, and not healed: ${message}`;

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

const configureAll: MakeStep = (_host, id) =>
  Promise.resolve({
    id: `${id}.configure`,
    argv: ['dpkg', ...keepConfiguration, '--configure', '-a'],
    auto: [],
  });

/**
 * What is half installed cannot be configured, nor what lacks another package of its source in its own version, and
 * `apt-get --fix-broken install` leaves the first as it is. So the first are installed again, by name, and what is there of
 * the same sources is upgraded with them, each in the version that apt would take. What is unpacked is not named: apt
 * configures it by itself, and finds no file for it (an internal error of its own) where it is told to install it again.
 * Nothing else is changed by it; a failure where it would have to be. Null: nothing can be done so.
 */
const reinstallation: MakeStep = async (host, id, packages) => {
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
    return isNewer || isHalfInstalled(one)
      ? [{ one, operand: `${operandOf(one)}=${isNewer ? candidate : one.version}` }]
      : [];
  });
  if (targets.length === 0) return null;
  const args = [
    ...['--reinstall', '--only-upgrade', '--no-install-recommends', '--no-remove'],
    ...['install', ...targets.map(({ operand }) => operand)],
  ];
  const simulated = await simulate(host, args);
  if (!simulated.ok) {
    const { kind, message, remedy } = simulated.reason;
    return { kind, message: notHealed(message), remedy };
  }
  const other = simulated.simulation.installs.find(
    ({ name }) => !targets.some(({ one }) => one.name === name),
  );
  if (other !== undefined)
    return aptFailure('interrupted', notHealed(`that would change ${other.name} as well`));
  return {
    id: `${id}.reinstall`,
    argv: ['apt-get', '-q', '-y', ...lockOption(host), ...dpkgOptions, ...args],
    auto: await readAutoMarks(
      host,
      targets.map(({ one }) => one),
    ),
  };
};

/** A step is a transaction like any other, and one that an earlier life began is not done again. */
const run = async (host: AptHost, step: Step, before: InstalledPackage[]): Promise<Ran> => {
  const { id, argv, auto } = step;
  const { exitCode } =
    (await awaitTransaction(host, id)) ??
    (await runTransaction(
      host,
      id,
      { argv, before, held: [], auto },
      { environment: aptEnvironment(host), inventory: join(host.root, DPKG_DIRECTORY, 'status') },
    ));
  const { path: transcript, tail } = await readTranscript(host, id);
  return { exitCode, transcript, failure: nameFailure(tail, exitCode ?? 0) };
};

/** Why it could not be put right: what was said last, where that tells more than what is left. */
const failureOf = (left: string, { exitCode, failure }: Ran): PackageFailure => {
  const { kind, message, remedy } =
    exitCode === 0 || failure.kind === 'other' ? aptFailure('interrupted', left) : failure;
  return { kind, message: notHealed(message), remedy };
};

/** Answers what was run, or why not; null: nothing is to be put right, or can be by this. */
const runNext = async (
  host: AptHost,
  id: string,
  makeStep: MakeStep,
): Promise<Ran | PackageFailure | null> => {
  const lockPaths = dpkgLockPaths(host.root);
  const busy = await waitForLocks(() => readLockHolders(lockPaths), host.lockTimeoutMs);
  if (busy !== null) return aptFailure('lock-timeout', busy);
  const now = await readDpkgDatabase(host.root);
  if (unsettledReason(now) === null) return null;
  const step = await makeStep(host, id, now.packages);
  if (step === null || 'kind' in step) return step;
  return run(host, step, presentPackages(now.packages));
};

/**
 * Configures what an interrupted dpkg has unpacked, once no other package manager is at work. Answers why it could not be
 * begun; what it came to, the database tells. `id` names its transaction.
 */
export const configureInterrupted = async (
  host: AptHost,
  id: string,
): Promise<PackageFailure | null> => {
  const done = await runNext(host, id, configureAll);
  return done !== null && 'kind' in done ? done : null;
};

/** Nothing is done where a removal was begun. */
const unlessRemoving =
  (makeStep: MakeStep): MakeStep =>
  async (host, id, packages) =>
    begunRemoval(packages) ?? makeStep(host, id, packages);

/**
 * Puts right what a dpkg left that was interrupted (killed, out of memory or disk, a crash of the machine), in
 * whichever phase of an installation or upgrade: what is unpacked is configured, what is still broken then is installed again.
 * `unattended-upgrades` does the first of it as well (AutoFixInterruptedDpkg), and asks nobody either. `id` names its
 * transactions. Other package managers are waited for before each of them.
 */
export const heal = async (host: AptHost, id: string): Promise<Healed> => {
  const found = await readDpkgDatabase(host.root);
  const before = presentPackages(found.packages);
  let last: Ran | null = null;
  let failure: PackageFailure | null = null;
  for (const makeStep of [configureAll, reinstallation]) {
    const done = await runNext(host, id, unlessRemoving(makeStep));
    if (done === null) break;
    if ('kind' in done) {
      failure = done;
      break;
    }
    last = done;
  }
  const now = await readDpkgDatabase(host.root);
  const left = unsettledReason(now);
  if (left !== null && failure === null)
    failure = last === null ? aptFailure('interrupted', notHealed(left)) : failureOf(left, last);
  return {
    ...{ failure, from: unsettledReason(found) ?? '', before },
    changes: packageChanges(before, presentPackages(now.packages)),
    transcript: last?.transcript ?? null,
  };
};
