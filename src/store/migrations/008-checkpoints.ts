import type { Kysely, Migration } from 'kysely';
import type { FleetTables } from '../fleet-tables.ts';

const atOnce = 500;

/** Time and outcome of records of before there were columns for them. */
const fillColumns = async (db: Kysely<FleetTables>): Promise<void> => {
  for (let after = -1; ;) {
    const rows = await db
      .selectFrom('audit_records')
      .select(['position', 'record'])
      .where('position', '>', after)
      .orderBy('position')
      .limit(atOnce)
      .execute();
    for (const { position, record } of rows) {
      const { at, outcome } = JSON.parse(record) as Record<string, unknown>;
      await db
        .updateTable('audit_records')
        .set({
          at: typeof at === 'string' ? at : '',
          outcome: typeof outcome === 'string' ? outcome : null,
        })
        .where('position', '=', position)
        .execute();
    }
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.position;
  }
};

/** Checkpoints over all audit chains, what was sealed away, and where anchors stand (see `fleet-tables.ts`). */
export const checkpointsMigration: Migration = {
  up: async (db: Kysely<FleetTables>): Promise<void> => {
    await db.schema
      .alterTable('audit_records')
      .addColumn('at', 'text', (column) => column.notNull().defaultTo(''))
      .execute();
    await db.schema.alterTable('audit_records').addColumn('outcome', 'text').execute();
    await db.schema
      .alterTable('audit_records')
      .addColumn('proven', 'integer', (column) => column.notNull().defaultTo(1))
      .execute();
    await fillColumns(db);
    for (const column of ['at', 'outcome'])
      await db.schema
        .createIndex(`audit_records_${column}`)
        .on('audit_records')
        .column(column)
        .execute();
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
      .createTable('audit_keys')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('public_key', 'text', (column) => column.notNull())
      .addColumn('since', 'double precision', (column) => column.notNull())
      .execute();
    await db.schema
      .createTable('audit_anchors')
      .addColumn('name', 'text', (column) => column.primaryKey())
      .addColumn('number', 'integer', (column) => column.notNull())
      .execute();
  },
};
