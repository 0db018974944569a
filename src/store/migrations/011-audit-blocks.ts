import { sql } from 'kysely';
import type { Kysely, Migration } from 'kysely';

/** Whether a record has a value there; what has none is in no index. */
const optional = ['container', 'service', 'wave_id', 'outcome'];
const always = ['actor', 'at'];

/** Indices over all audit records give way to such as go by blocks of them (see `audit-blocks.ts`). */
export const auditBlocksMigration: Migration = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    for (const column of [...optional, ...always]) {
      await db.schema.dropIndex(`audit_records_${column}`).execute();
      const index = db.schema
        .createIndex(`audit_records_by_${column}`)
        .on('audit_records')
        .expression(sql`(position >> 10)`)
        .column(column);
      await (
        optional.includes(column) ? index.where(sql.ref(column), 'is not', null) : index
      ).execute();
    }
    await db.schema
      .createIndex('audit_records_unproven')
      .on('audit_records')
      .column('proven')
      .where(sql.ref('proven'), '=', 0)
      .execute();
  },
};
