import type { Kysely, Migration } from 'kysely';

/** Hosts tell which suites of security updates their sources name. Those of before have not told yet. */
export const securitySuitesMigration: Migration = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    await db.schema
      .alterTable('host_inventories')
      .addColumn('platform', 'text', (column) => column.notNull().defaultTo(''))
      .execute();
    await db.schema
      .alterTable('host_inventories')
      .addColumn('security_suites', 'text', (column) => column.notNull().defaultTo('[]'))
      .execute();
  },
};
