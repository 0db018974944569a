import type { Kysely, Migration } from 'kysely';

/** Fleet, waves, grants and audit records (see `fleet-tables.ts`). */
export const fleetMigration: Migration = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    for (const table of ['fleet_hosts', 'fleet_pauses', 'fleet_freezes'])
      await db.schema
        .createTable(table)
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('doc', 'text', (column) => column.notNull())
        .execute();
    await db.schema
      .createTable('fleet_containers')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('host_id', 'text', (column) => column.notNull())
      .addColumn('service', 'text', (column) => column.notNull())
      .addColumn('doc', 'text', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('fleet_grants')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('wave_id', 'text', (column) => column.notNull())
      .addColumn('host_id', 'text', (column) => column.notNull())
      .addColumn('container', 'text')
      .addColumn('ended', 'integer', (column) => column.notNull())
      .addColumn('doc', 'text', (column) => column.notNull())
      .execute();
    await db.schema.createIndex('fleet_grants_open').on('fleet_grants').column('ended').execute();
    await db.schema
      .createTable('fleet_waves')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('created_at', 'double precision', (column) => column.notNull())
      .addColumn('doc', 'text', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('audit_records')
      .addColumn('position', 'integer', (column) => column.primaryKey().autoIncrement())
      .addColumn('chain', 'text', (column) => column.notNull())
      .addColumn('life', 'text', (column) => column.notNull())
      .addColumn('seq', 'integer', (column) => column.notNull())
      .addColumn('hash', 'text', (column) => column.notNull())
      .addColumn('container', 'text')
      .addColumn('service', 'text')
      .addColumn('wave_id', 'text')
      .addColumn('actor', 'text', (column) => column.notNull())
      .addColumn('record', 'text', (column) => column.notNull())
      .execute();
    await db.schema
      .createIndex('audit_records_link')
      .on('audit_records')
      .columns(['chain', 'life', 'seq'])
      .unique()
      .execute();
    for (const column of ['container', 'service', 'wave_id', 'actor'])
      await db.schema
        .createIndex(`audit_records_${column}`)
        .on('audit_records')
        .column(column)
        .execute();
    await db.schema
      .createTable('restart_times')
      .addColumn('service', 'text', (column) => column.primaryKey())
      .addColumn('mean_ms', 'double precision', (column) => column.notNull())
      .addColumn('samples', 'integer', (column) => column.notNull())
      .execute();
  },
};
