import { Kysely, SqliteAdapter, SqliteDialect, sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import type { AdvisoryTables } from './advisory-tables.ts';
import type { FleetTables } from './fleet-tables.ts';
import type { InfrastructureTables } from './infrastructure-tables.ts';
import { migrateToLatest } from './migrate.ts';
import { makeRoom } from './make-room.ts';
import { openSqlite } from './open-sqlite.ts';
import type { SqliteHandle } from './open-sqlite.ts';

type Statement = ReturnType<SqliteHandle['prepare']>;

/**
 * Every table of the server's store. Operations take a `Kysely` of this, the whole: a transaction of more
 * tables is no `Kysely` of fewer to the compiler, though it would be at run time.
 */
export interface StoreTables extends InfrastructureTables, FleetTables, AdvisoryTables {}

export interface Store {
  db: Kysely<StoreTables>;
  /** The database's clock in ms since 1970, as SQL: what leases are measured by. */
  databaseNow: RawBuilder<number>;
  /** Wait for what runs, then close. */
  close: () => Promise<void>;
}

/** Statements differ only by how many values they list, so there are few. */
const keptStatements = 500;

/** To compile a statement costs several times what running it does, and kysely asks for it anew each time. */
const createPrepare = (database: SqliteHandle): ((text: string) => Statement) => {
  const known = new Map<string, Statement>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const statement = database.prepare(text);
    // Those of the schema are run once, and change what others were compiled for.
    if (!/^(?:insert|update|delete|select|begin|commit|rollback)\b/i.test(text)) known.clear();
    else if (known.size < keptStatements) known.set(text, statement);
    return statement;
  };
};

/** SQLite takes back changes of the schema too (sqlite.org/lang_transaction.html); kysely does not count on that by itself. */
class Adapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

class Dialect extends SqliteDialect {
  override createAdapter(): Adapter {
    return new Adapter();
  }
}

const dialect = (database: SqliteHandle): Dialect => {
  const prepare = createPrepare(database);
  return new Dialect({
    database: {
      close: () => {
        database.close();
      },
      prepare: (text) => {
        // A transaction that reads first and writes later could not wait for another process's write: SQLite
        // refuses it at once, whatever the busy timeout is. So each takes its place in the queue at the start.
        const statement = prepare(text === 'begin' ? 'begin immediate' : text);
        // SQLite rolls back by itself on some errors (SQLITE_FULL, SQLITE_IOERR): to do it once more would fail, and that
        // would be told instead of why.
        const isMoot = (): boolean => text === 'rollback' && !database.inTransaction;
        // As one array: the driver takes a single parameter that is null for a list of named ones.
        return {
          reader: statement.reader,
          all: (parameters) => statement.all(parameters),
          run: (parameters) =>
            isMoot() ? { changes: 0, lastInsertRowid: 0 } : statement.run(parameters),
          iterate: (parameters) => statement.iterate(parameters),
        };
      },
    },
  });
};

/**
 * Open the store in a SQLite file, made on first start, with the present schema. PostgreSQL joins here as a
 * second dialect of the same tables and migrations. One connection: never await `db` inside a transaction
 * on it, use the transaction.
 */
export const openStore = async (path: string): Promise<Store> => {
  const database = openSqlite(path);
  const db = new Kysely<StoreTables>({ dialect: dialect(database) });
  try {
    await migrateToLatest(db);
    makeRoom(database, path);
  } catch (error) {
    database.close();
    throw error;
  }
  return {
    db,
    databaseNow: sql<number>`(unixepoch('subsec') * 1000)`,
    close: () => db.destroy(),
  };
};
