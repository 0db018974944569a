import type { Kysely, Migration } from 'kysely';

/** Feeds, advisories and inventories (see `advisory-tables.ts`). */
export const advisoriesMigration: Migration = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    await db.schema
      .createTable('feeds')
      .addColumn('name', 'text', (column) => column.primaryKey())
      .addColumn('doc', 'text', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('advisories')
      .addColumn('feed', 'text', (column) => column.notNull())
      .addColumn('id', 'text', (column) => column.notNull())
      .addColumn('hash', 'text', (column) => column.notNull())
      .addColumn('modified', 'text')
      .addColumn('withdrawn', 'integer', (column) => column.notNull())
      .addColumn('distros', 'text', (column) => column.notNull())
      .addColumn('first_seen', 'double precision', (column) => column.notNull())
      .addColumn('changed_at', 'double precision', (column) => column.notNull())
      .addColumn('unmatched', 'integer', (column) => column.notNull())
      .addColumn('doc', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('advisories_key', ['feed', 'id'])
      .execute();
    await db.schema
      .createIndex('advisories_unmatched')
      .on('advisories')
      .column('unmatched')
      .execute();
    await db.schema
      .createTable('inventories')
      .addColumn('hash', 'text', (column) => column.primaryKey())
      .addColumn('doc', 'text', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('host_inventories')
      .addColumn('host_id', 'text', (column) => column.primaryKey())
      .addColumn('hash', 'text', (column) => column.notNull())
      .addColumn('transaction_number', 'integer', (column) => column.notNull())
      .addColumn('refreshed_at', 'double precision')
      .addColumn('refresh_problem', 'text')
      .addColumn('reported_at', 'double precision', (column) => column.notNull())
      .execute();
    await db.schema
      .createIndex('host_inventories_hash')
      .on('host_inventories')
      .column('hash')
      .execute();
    await db.schema
      .createTable('updates_seen')
      .addColumn('platform', 'text', (column) => column.notNull())
      .addColumn('package', 'text', (column) => column.notNull())
      .addColumn('version', 'text', (column) => column.notNull())
      .addColumn('first_seen', 'double precision', (column) => column.notNull())
      .addPrimaryKeyConstraint('updates_seen_key', ['platform', 'package', 'version'])
      .execute();
  },
};
