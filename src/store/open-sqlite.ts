import Database from 'libsql';
import { hasCode } from '../core/error-code.ts';

/**
 * A synchronous SQLite handle: what the agent's journal works with, and what the store is built on. This
 * file is the only one that knows the driver. Blobs come back as ArrayBuffer: keep hashes as text.
 */
export type SqliteHandle = Database.Database;

/** SQLite's own word for what went wrong, such as `SQLITE_FULL`; empty: it was something else. */
export const sqliteCode = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';

/**
 * Open (or make) a SQLite file whose commits are on disk when they return: WAL, one fsync per commit. Waits
 * up to 5 s for another process's write. Throws `SqliteError` with `code`.
 */
export const openSqlite = (path: string): SqliteHandle => {
  const database = new Database(path);
  try {
    database.pragma('busy_timeout = 5000');
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    database.pragma('foreign_keys = ON');
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
};

/**
 * Open a SQLite file that no other process has open, so that nothing lies beside it once it is closed. (A write-ahead log would:
 * the driver ends a connection only when its statements are collected.) Throws `SqliteError` with `code`.
 */
export const openSqliteAlone = (path: string): SqliteHandle => {
  const database = new Database(path);
  try {
    database.pragma('journal_mode = DELETE');
    database.pragma('synchronous = FULL');
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
};

/**
 * Hold a lock on the file at `path` for as long as this process lives or until `release` is called: the
 * kernel's lock on an open SQLite transaction, so that none is left behind by a process that was killed.
 * Answers null when another process holds it. Throws when the file cannot be made.
 */
export const lockFile = (path: string): { release: () => void } | null => {
  const database = new Database(path);
  try {
    database.pragma('busy_timeout = 0');
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (hasCode(error, 'SQLITE_BUSY')) return null;
    throw error;
  }
  return {
    release: () => {
      database.exec('ROLLBACK');
      database.close();
    },
  };
};
