import type { Kysely, Migration } from 'kysely';

/** What the server was last seen to go by, so that its audit trail tells what changed. */
export const recordedSettingsMigration: Migration = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    await db.schema
      .createTable('recorded_settings')
      .addColumn('id', 'integer', (column) => column.primaryKey())
      .addColumn('doc', 'text', (column) => column.notNull())
      .execute();
  },
};
