import { join } from 'node:path';
import type { DpkgPackage } from './parse-dpkg-status.ts';
import { restReader } from '../packages/at-rest.ts';
import type { AtRestReader } from '../packages/at-rest.ts';
import { createLockAsker } from '../packages/lock-asker.ts';
import type { LockAsker } from '../packages/lock-asker.ts';
import { dpkgSignature, readDpkgDatabase } from './read-dpkg-database.ts';
import type { DpkgDatabase } from './read-dpkg-database.ts';

/**
 * Locks that package managers hold while they change packages: the two of dpkg, and that of
 * unattended-upgrades, which lets go of dpkg's between the steps of one run.
 */
const LOCK_FILES = [
  'var/lib/dpkg/lock-frontend',
  'var/lib/dpkg/lock',
  'run/unattended-upgrades.lock',
];

export const dpkgLockPaths = (root: string): string[] => LOCK_FILES.map((name) => join(root, name));

const describe = ({ name, arch, want, flag, state }: DpkgPackage): string =>
  `${name}:${arch} is ${flag === 'reinstreq' ? `${state} and needs to be installed again` : state}` +
  ((state === 'installed') === (want === 'install' || want === 'hold') ? '' : `, wanted: ${want}`);

/** Whether a package is in the state wanted of it, and without error flag (R21). */
export const settled = ({ want, flag, state }: DpkgPackage): boolean => {
  if (flag !== 'ok') return false;
  if (state === 'installed') return want === 'install' || want === 'hold';
  // A hold may be put on a package that is not there.
  return (state === 'not-installed' || state === 'config-files') && want !== 'install';
};

/** What in the database keeps it from being at rest, where nobody holds a lock; null: nothing. */
export const unsettledReason = ({ packages, journalEntries }: DpkgDatabase): string | null => {
  const unsettled = packages.filter((one) => !settled(one));
  const first = unsettled[0];
  if (first !== undefined)
    return describe(first) + (unsettled.length > 1 ? ` (and ${unsettled.length - 1} more)` : '');
  if (journalEntries > 0) return 'dpkg was interrupted: its journal is not merged';
  return null;
};

/**
 * Whether the dpkg database below a root is at rest: no manager holds its lock, every package is in the
 * state wanted of it and without error flag.
 */
export const atRestReader = (locks: LockAsker = createLockAsker()): AtRestReader =>
  restReader(
    {
      signature: dpkgSignature,
      unsettled: async (root) => unsettledReason(await readDpkgDatabase(root)),
      lockPaths: dpkgLockPaths,
      otherHolders: () => [],
    },
    locks,
  );

/** One look without memory, as `atRestReader` has it. */
export const readAtRest: AtRestReader = (root) => atRestReader()(root);
