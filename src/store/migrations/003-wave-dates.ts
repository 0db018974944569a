import type { Kysely, Migration } from 'kysely';
import type { FleetTables } from '../fleet-tables.ts';

interface Dates {
  createdMs: number | null;
  startedMs: number | null;
  endedMs: number | null;
}

const begins = ['granted', 'upgrade-ordered'];
const ends = ['wave-finished', 'wave-declined'];

/** What the records of a wave, in their order, say of its dates. */
const datesOf = (records: readonly Record<string, unknown>[]): Dates => {
  const at = (record: Record<string, unknown> | undefined): number | null => {
    const ms = Date.parse(String(record?.['at']));
    return Number.isNaN(ms) ? null : ms;
  };
  const of = (actions: readonly string[]): Record<string, unknown>[] =>
    records.filter(({ action }) => actions.includes(String(action)));
  return {
    createdMs: at(of(['wave-opened'])[0]),
    startedMs: at(of(begins)[0]),
    endedMs: at(of(ends).at(-1)),
  };
};

/** Waves of before their dates were kept get them from the audit records (`Wave.wall`). */
export const waveDatesMigration: Migration = {
  up: async (db: Kysely<FleetTables>): Promise<void> => {
    for (const { id, doc } of await db.selectFrom('fleet_waves').select(['id', 'doc']).execute()) {
      const wave = JSON.parse(doc) as Record<string, unknown>;
      const rows = await db
        .selectFrom('audit_records')
        .select('record')
        .where('wave_id', '=', id)
        .where('chain', '=', 'server')
        .orderBy('position')
        .execute();
      const records = rows.map(({ record }) => JSON.parse(record) as Record<string, unknown>);
      await db
        .updateTable('fleet_waves')
        .set({ doc: JSON.stringify({ wall: datesOf(records), ...wave }) })
        .where('id', '=', id)
        .execute();
    }
  },
};
