import type { Kysely, Migration } from 'kysely';

/** What a wave has of each host and each container, in rows of their own. */
export const wavePartsMigration: Migration = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    await db.schema
      .createTable('fleet_wave_parts')
      .addColumn('wave_id', 'text', (column) => column.notNull())
      .addColumn('part', 'text', (column) => column.notNull())
      .addColumn('key', 'text', (column) => column.notNull())
      .addColumn('position', 'integer', (column) => column.notNull())
      .addColumn('doc', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('fleet_wave_parts_key', ['wave_id', 'part', 'key'])
      .execute();
  },
};
