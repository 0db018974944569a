import type { Kysely, Migration } from 'kysely';

/** Checkpoints over all audit chains, what was sealed away, and where anchors stand (see `fleet-tables.ts`). */
export const checkpointsMigration: Migration = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    await db.schema
      .createTable('audit_checkpoints')
      .addColumn('number', 'integer', (column) => column.primaryKey())
      .addColumn('hash', 'text', (column) => column.notNull())
      .addColumn('made_at', 'double precision', (column) => column.notNull())
      .addColumn('up_to', 'integer', (column) => column.notNull())
      .addColumn('statement', 'text', (column) => column.notNull())
      .addColumn('changed', 'text', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('audit_leaves')
      .addColumn('chain', 'text', (column) => column.notNull())
      .addColumn('life', 'text', (column) => column.notNull())
      .addColumn('length', 'integer', (column) => column.notNull())
      .addColumn('head', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('audit_leaves_key', ['chain', 'life'])
      .execute();
    await db.schema
      .createTable('audit_segments')
      .addColumn('number', 'integer', (column) => column.primaryKey())
      .addColumn('last_checkpoint', 'integer', (column) => column.notNull())
      .addColumn('file', 'text', (column) => column.notNull())
      .addColumn('position', 'integer', (column) => column.notNull())
      .addColumn('hash', 'text', (column) => column.notNull())
      .addColumn('leaves', 'text', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('audit_anchors')
      .addColumn('name', 'text', (column) => column.primaryKey())
      .addColumn('number', 'integer', (column) => column.notNull())
      .execute();
  },
};
