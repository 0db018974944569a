import type { DpkgPackage } from './parse-dpkg-status.ts';
import { readLockHolders } from './lock-holders.ts';
import { dpkgSignature, readDpkgDatabase } from './read-dpkg-database.ts';
import type { DpkgDatabase } from './read-dpkg-database.ts';

export type AtRest = { atRest: true } | { atRest: false; reason: string };

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
 * Whether the package database below `root` is at rest (I7, R21): no manager holds its lock, every
 * package is in the state wanted of it and without error flag. What cannot be read is not at rest.
 */
export const readAtRest = async (root: string): Promise<AtRest> => {
  try {
    const before = await dpkgSignature(root);
    const reason = unsettledReason(await readDpkgDatabase(root));
    // Locks come last: with none held, what was read before is still so unless it was written since.
    const holder = (await readLockHolders(root))[0];
    if (holder !== undefined)
      return {
        atRest: false,
        reason: `${holder.command || 'a process'} (pid ${holder.pid}) holds ${holder.path}`,
      };
    if (reason !== null) return { atRest: false, reason };
    if ((await dpkgSignature(root)) !== before)
      return { atRest: false, reason: 'the package database was just changed' };
    return { atRest: true };
  } catch (error) {
    return { atRest: false, reason: error instanceof Error ? error.message : String(error) };
  }
};
