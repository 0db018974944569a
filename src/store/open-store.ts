import { Kysely, SqliteDialect, sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import type { FleetTables } from './fleet-tables.ts';
import type { InfrastructureTables } from './infrastructure-tables.ts';
import { migrateToLatest } from './migrate.ts';
import { openSqlite } from './open-sqlite.ts';
import type { SqliteHandle } from './open-sqlite.ts';

/**
 * Every table of the server's store. Operations take a `Kysely` of this, the whole: a transaction of more
 * tables is no `Kysely` of fewer to the compiler, though it would be at run time.
 */
export interface StoreTables extends InfrastructureTables, FleetTables {}

export interface Store {
  db: Kysely<StoreTables>;
  /** The database's clock in ms since 1970, as SQL: what leases are measured by. */
  databaseNow: RawBuilder<number>;
  /** Wait for what runs, then close. */
  close: () => Promise<void>;
}

const dialect = (database: SqliteHandle): SqliteDialect =>
  new SqliteDialect({
    database: {
      close: () => {
        database.close();
      },
      prepare: (text) => {
        // A transaction that reads first and writes later could not wait for another process's write: SQLite
        // refuses it at once, whatever the busy timeout is. So each takes its place in the queue at the start.
        const statement = database.prepare(text === 'begin' ? 'begin immediate' : text);
        // As one array: the driver takes a single parameter that is null for a list of named ones.
        return {
          reader: statement.reader,
          all: (parameters) => statement.all(parameters),
          run: (parameters) => statement.run(parameters),
          iterate: (parameters) => statement.iterate(parameters),
        };
      },
    },
  });

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
