import { errorText } from '../../core/error-text.ts';
import type { LockAsker } from './lock-asker.ts';
import { askLockHolders, readLockHolders } from './lock-holders.ts';
import type { LockHolder } from './lock-holders.ts';
import type { AtRest } from './package-manager.ts';

/** What there is to look at of one kind of package database, below the root directory of a host. */
export interface RestingDatabase {
  /** Changes whenever the database is written. */
  signature: (root: string) => string;
  /** What in the database keeps it from being at rest, where nobody holds a lock; null: nothing. */
  unsettled: (root: string) => Promise<string | null>;
  /** Files that package managers have a lock on while they change packages. */
  lockPaths: (root: string) => string[];
  /** Who holds a lock that the kernel knows nothing of. */
  otherHolders: (root: string) => LockHolder[];
}

/** `root` is the host's root directory. */
export type AtRestReader = (root: string) => Promise<AtRest>;

/** Questions that follow one another closer than this are a wave's: a process to ask the locks of pays then. */
const OFTEN_MS = 3_000;

const describeHolder = ({ path, pid, command }: LockHolder): string =>
  `${command || 'a process'} (pid ${pid}) holds ${path}`;

/**
 * Whether a package database is at rest (I7, R21): no manager holds its lock, and nothing in it is unsettled. What
 * cannot be read is not at rest. The reader remembers its verdict of a database for as long as that is not written
 * again: it is asked twice per restart, and the database of a common host takes 20 ms to read. Locks are looked at
 * each time.
 */
export const restReader = (database: RestingDatabase, locks: LockAsker): AtRestReader => {
  /** Of a database that was found at rest. */
  let known: { root: string; signature: string } | null = null;
  let askedAt = -Infinity;

  const holderOf = async (root: string, often: boolean): Promise<LockHolder | undefined> => {
    const paths = database.lockPaths(root);
    const asked = often ? await askLockHolders(paths, locks) : null;
    return (asked ?? readLockHolders(paths))[0] ?? database.otherHolders(root)[0];
  };

  return async (root) => {
    try {
      const signature = database.signature(root);
      const unchanged = known?.root === root && known.signature === signature;
      // Its libraries may just have been replaced: it must not be found running the old ones.
      if (!unchanged) locks.rest();
      const reason = unchanged ? null : await database.unsettled(root);
      const now = performance.now();
      const often = unchanged && now - askedAt < OFTEN_MS;
      askedAt = now;
      // Locks come last: with none held, what was read before is still so unless it was written since.
      const holder = await holderOf(root, often);
      if (holder !== undefined) return { atRest: false, reason: describeHolder(holder) };
      if (reason !== null) return { atRest: false, reason };
      if (database.signature(root) !== signature)
        return { atRest: false, reason: 'the package database was just changed' };
      known = { root, signature };
      return { atRest: true };
    } catch (error) {
      return { atRest: false, reason: errorText(error) };
    }
  };
};
