import { open } from 'node:fs/promises';
import { errorText } from '../../core/error-text.ts';
import { knownMigrations } from '../migrate.ts';
import { openSqlite, openSqliteAlone } from '../open-sqlite.ts';
import type { SqliteHandle } from '../open-sqlite.ts';
import type { RestoredMark } from '../restored-mark.ts';
import { syncPath } from './manifest.ts';

/** What a store that is no server's says of itself. */
export interface StoreFacts {
  /** Its newest migration. */
  schema: string;
  generation: number;
  epoch: number;
  /** Names of the files that its sealed audit records lie in. */
  segments: string[];
}

const rows = <Row>(db: SqliteHandle, text: string): Row[] => db.prepare(text).all() as Row[];

/**
 * A store as of one moment, in a file of its own, while a server may go on writing to it. Throws where SQLite cannot read the
 * whole of it, or `to` is there.
 */
export const copyStore = async (from: string, to: string): Promise<void> => {
  // SQLite takes an empty file; it would make one that others may read.
  await (await open(to, 'wx', 0o600)).close();
  let db: SqliteHandle | null = null;
  try {
    db = openSqlite(from);
    db.prepare('VACUUM INTO ?').run([to]);
  } catch (error) {
    throw new Error(`the store ${from} cannot be copied to ${to}: ${errorText(error)}`, {
      cause: error,
    });
  } finally {
    db?.close();
  }
};

const integrityProblem = (db: SqliteHandle): string | null => {
  const said = rows<{ integrity_check: string }>(db, 'PRAGMA integrity_check(3)').map(
    (row) => row.integrity_check,
  );
  if (said.join() !== 'ok') return said.join('; ');
  const [orphan] = rows<{ table: string }>(db, 'PRAGMA foreign_key_check');
  return orphan === undefined ? null : `a row of ${orphan.table} belongs to none`;
};

/**
 * Look through the whole of a store that nobody else has open. Throws where it is damaged, or is no store of ours; `of`: as what
 * people know it.
 */
export const examineStore = (path: string, of: string): StoreFacts => {
  let db: SqliteHandle | null = null;
  try {
    db = openSqliteAlone(path);
    const problem = integrityProblem(db);
    if (problem !== null) throw new Error(problem);
    const migrations = rows<{ name: string }>(
      db,
      'SELECT name FROM kysely_migration ORDER BY name',
    );
    const [meta] = rows<{ generation: number }>(db, 'SELECT generation FROM meta');
    const [lease] = rows<{ epoch: number }>(db, 'SELECT epoch FROM lease');
    const schema = migrations.at(-1)?.name;
    if (schema === undefined || meta === undefined || lease === undefined)
      throw new Error('it is no store of a server');
    // Those of before the trail was sealed have no such table.
    const isSealed =
      rows(db, "SELECT 1 FROM sqlite_master WHERE name = 'audit_segments'").length > 0;
    const segments = isSealed
      ? rows<{ file: string }>(db, 'SELECT file FROM audit_segments ORDER BY number')
      : [];
    return {
      ...{ schema, generation: meta.generation, epoch: lease.epoch },
      segments: segments.map(({ file }) => file),
    };
  } catch (error) {
    throw new Error(`the store ${of} is damaged: ${errorText(error)}`, { cause: error });
  } finally {
    db?.close();
  }
};

/** Whether this program is too old for a store; it can be brought from any older form to the present one. */
export const isOfNewerProgram = (schema: string): boolean => !knownMigrations.includes(schema);

/**
 * Have a copy say that it is one, so that whatever server begins over it, however it was put there, takes it for restored
 * (R16). Also one of before stores could say so: the server brings it to the present schema, which leaves the word where it is.
 */
export const markCopy = async (path: string, mark: RestoredMark): Promise<void> => {
  const db = openSqliteAlone(path);
  try {
    db.exec(
      'CREATE TABLE IF NOT EXISTS restored (id INTEGER PRIMARY KEY, made_at DOUBLE PRECISION NOT NULL, restored_at DOUBLE PRECISION, actor TEXT NOT NULL)',
    );
    db.prepare(
      'INSERT OR REPLACE INTO restored (id, made_at, restored_at, actor) VALUES (1, ?, ?, ?)',
    ).run([mark.madeAt, mark.restoredAt, mark.actor]);
  } finally {
    db.close();
  }
  await syncPath(path);
};
