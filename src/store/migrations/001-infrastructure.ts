import { sql } from 'kysely';
import type { Kysely, Migration } from 'kysely';

/** The server's own machinery (see `infrastructure-tables.ts`), each table in its first state. */
export const infrastructureMigration: Migration = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    const one = sql`id = 1`;
    await db.schema
      .createTable('meta')
      .addColumn('id', 'integer', (column) => column.primaryKey())
      .addColumn('generation', 'bigint', (column) => column.notNull())
      .addCheckConstraint('meta_one_row', one)
      .execute();
    await db.schema
      .createTable('lease')
      .addColumn('id', 'integer', (column) => column.primaryKey())
      .addColumn('epoch', 'bigint', (column) => column.notNull())
      .addColumn('holder', 'text', (column) => column.notNull())
      .addColumn('expires_at', 'double precision', (column) => column.notNull())
      .addColumn('ttl_ms', 'double precision', (column) => column.notNull())
      .addCheckConstraint('lease_one_row', one)
      .execute();
    await db.schema
      .createTable('server_clock')
      .addColumn('id', 'integer', (column) => column.primaryKey())
      .addColumn('reserved_until', 'double precision', (column) => column.notNull())
      .addCheckConstraint('server_clock_one_row', one)
      .execute();
    await sql`INSERT INTO meta (id, generation) VALUES (1, 1)`.execute(db);
    await sql`INSERT INTO lease (id, epoch, holder, expires_at, ttl_ms) VALUES (1, 0, '', 0, 0)`.execute(
      db,
    );
    await sql`INSERT INTO server_clock (id, reserved_until) VALUES (1, 0)`.execute(db);
    await db.schema
      .createTable('outbox')
      .addColumn('job_id', 'text', (column) => column.primaryKey())
      .addColumn('host_id', 'text', (column) => column.notNull())
      .addColumn('kind', 'text', (column) => column.notNull())
      .addColumn('envelope', 'text', (column) => column.notNull())
      .addColumn('created_at', 'double precision', (column) => column.notNull())
      .addColumn('expires_at', 'double precision', (column) => column.notNull())
      .addColumn('closed_at', 'double precision')
      .addColumn('close_reason', 'text')
      .execute();
    await db.schema
      .createIndex('outbox_open')
      .on('outbox')
      .column('created_at')
      .where(sql.ref('closed_at'), 'is', null)
      .execute();
    await db.schema
      .createTable('enrolled_hosts')
      .addColumn('host_id', 'text', (column) => column.primaryKey())
      .addColumn('machine_id', 'text', (column) => column.notNull())
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('enrolled_at', 'double precision', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('host_keys')
      .addColumn('host_id', 'text', (column) =>
        column.notNull().references('enrolled_hosts.host_id').onDelete('cascade'),
      )
      .addColumn('key_id', 'text', (column) => column.notNull())
      .addColumn('public_key', 'text', (column) => column.notNull())
      .addColumn('added_at', 'double precision', (column) => column.notNull())
      .addPrimaryKeyConstraint('host_keys_pk', ['host_id', 'key_id'])
      .execute();
  },
};
