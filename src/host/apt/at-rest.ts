import type { DpkgPackage } from './parse-dpkg-status.ts';
import { createLockAsker } from './lock-asker.ts';
import type { LockAsker } from './lock-asker.ts';
import { askLockHolders, readLockHolders } from './lock-holders.ts';
import type { LockHolder } from './lock-holders.ts';
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

/** What `atRestReader` answers; `root` is the host's root directory. */
export type AtRestReader = (root: string) => Promise<AtRest>;

/** Questions that follow one another closer than this are a wave's: a process to ask the locks of pays then. */
const OFTEN_MS = 3_000;

const describeHolder = ({ path, pid, command }: LockHolder): string =>
  `${command || 'a process'} (pid ${pid}) holds ${path}`;

/**
 * Whether the package database below a root is at rest (I7, R21): no manager holds its lock, every
 * package is in the state wanted of it and without error flag. What cannot be read is not at rest.
 * The reader remembers its verdict of a database for as long as that is not written again: it is
 * asked twice per restart, and the database of a common host takes 20 ms to read. Locks are looked
 * at each time.
 */
export const atRestReader = (locks: LockAsker = createLockAsker()): AtRestReader => {
  /** Of a database that was found at rest. */
  let known: { root: string; signature: string } | null = null;
  let askedAt = -Infinity;

  const holderOf = async (root: string, often: boolean): Promise<LockHolder | undefined> => {
    const asked = often ? await askLockHolders(root, locks) : null;
    return (asked ?? readLockHolders(root))[0];
  };

  return async (root) => {
    try {
      const signature = dpkgSignature(root);
      const unchanged = known?.root === root && known.signature === signature;
      // Its libraries may just have been replaced: it must not be found running the old ones.
      if (!unchanged) locks.rest();
      const reason = unchanged ? null : unsettledReason(await readDpkgDatabase(root));
      const now = performance.now();
      const often = unchanged && now - askedAt < OFTEN_MS;
      askedAt = now;
      // Locks come last: with none held, what was read before is still so unless it was written since.
      const holder = await holderOf(root, often);
      if (holder !== undefined) return { atRest: false, reason: describeHolder(holder) };
      if (reason !== null) return { atRest: false, reason };
      if (dpkgSignature(root) !== signature)
        return { atRest: false, reason: 'the package database was just changed' };
      known = { root, signature };
      return { atRest: true };
    } catch (error) {
      return { atRest: false, reason: error instanceof Error ? error.message : String(error) };
    }
  };
};

/** One look without memory, as `atRestReader` has it. */
export const readAtRest: AtRestReader = (root) => atRestReader()(root);
