import { z } from 'zod';
import { sqliteCode } from '../../store/open-sqlite.ts';
import type { SqliteHandle } from '../../store/open-sqlite.ts';

/** One row, changed by a sync that has nothing else to write. */
export const syncSchema = `
create table if not exists syncs (count integer not null);
insert into syncs select 0 where not exists (select 1 from syncs);
`;

const Checkpointed = z.object({ busy: z.number() });

/** What of a database in WAL mode is on disk for certain, and what is left to the kernel for now. */
export interface JournalSync {
  /** The commit that comes next is synced, and with it all that was written before; or it is not waited for. */
  next: (options: { sync: boolean }) => void;
  /** It is written. */
  written: (options: { sync: boolean }) => void;
  /** It failed. */
  failed: (error: unknown) => void;
  /** Sync what was written; costs nothing where nothing waits for it. Throws when it cannot. */
  sync: () => void;
  synced: () => boolean;
  /**
   * Before anything is read after a failure: copies what lies in the log to the database and begins a new log, where
   * something that counts as written may be missing on disk. What is written later would stand behind it, out of reach.
   */
  mend: () => void;
}

export const createJournalSync = (db: SqliteHandle): JournalSync => {
  const count = db.prepare('update syncs set count = count + 1');
  let isFull = true;
  /** What a former process has written may not be on disk either. */
  let unsynced = true;
  /** A sync has failed over what counts as written: the kernel says so once, and never again (fsync(2)). */
  let doubtful = false;

  const next = ({ sync: wanted }: { sync: boolean }): void => {
    if (wanted !== isFull) db.pragma(`synchronous = ${wanted ? 'FULL' : 'NORMAL'}`);
    isFull = wanted;
  };

  const failed = (error: unknown): void => {
    if (unsynced && sqliteCode(error).startsWith('SQLITE_IOERR')) doubtful = true;
  };

  const sync = (): void => {
    if (!unsynced) return;
    next({ sync: true });
    try {
      // A commit that changes nothing writes nothing, and syncs nothing.
      count.run();
    } catch (error) {
      failed(error);
      throw error;
    }
    unsynced = false;
  };

  return {
    next,
    written: ({ sync: wanted }) => {
      unsynced = !wanted;
    },
    failed,
    sync,
    synced: () => !unsynced,
    mend: () => {
      if (!doubtful) return;
      const [told] = db.prepare('pragma wal_checkpoint(TRUNCATE)').all();
      if (Checkpointed.parse(told).busy !== 0)
        throw new Error('the journal is being read by another process');
      unsynced = true;
      sync();
      doubtful = false;
    },
  };
};
