import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { SqliteHandle } from './open-sqlite.ts';

/** As much as SQLite writes to its log before it copies that to the database and begins at the front again. */
const roomBytes = 1024 * 4096;
/** On a disk with less than this nothing is taken for comfort. */
const enoughBytes = 32 * roomBytes;

/**
 * Make the write-ahead log of the database at `path` as long as it ever becomes. A commit that makes a file longer
 * waits for the file system's own journal too, one that overwrites waits for its data alone: a third of the time on
 * ext4. Never throws: without it commits take longer, and are as durable.
 */
export const makeRoom = (db: SqliteHandle, path: string): void => {
  try {
    const { bavail, bsize } = statfsSync(dirname(path));
    if (bavail * bsize < enoughBytes) return;
    db.exec('drop table if exists room_for_the_log');
    db.exec(`create table room_for_the_log as select zeroblob(${roomBytes}) as body`);
    // All is copied to the database by now, so this begins at the front of the log, as whatever follows.
    db.exec('drop table room_for_the_log');
  } catch {
    // What the journal itself cannot do for the same reason, it tells itself.
  }
};
