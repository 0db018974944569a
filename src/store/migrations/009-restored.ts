import type { Kysely, Migration } from 'kysely';
import type { InfrastructureTables } from '../infrastructure-tables.ts';

/** Whether the store is a backup that was put in place (see `infrastructure-tables.ts`). */
export const restoredMigration: Migration = {
  up: async (db: Kysely<InfrastructureTables>): Promise<void> => {
    await db.schema
      .createTable('restored')
      // A backup of before this migration says so already.
      .ifNotExists()
      .addColumn('id', 'integer', (column) => column.primaryKey())
      .addColumn('made_at', 'double precision', (column) => column.notNull())
      .addColumn('restored_at', 'double precision')
      .addColumn('actor', 'text', (column) => column.notNull())
      .execute();
  },
};
