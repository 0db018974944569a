import type { Kysely, Migration } from 'kysely';
import type { FleetTables } from '../fleet-tables.ts';

interface Dates {
  createdMs: number | null;
  startedMs: number | null;
  endedMs: number | null;
}

const begins = ['granted', 'upgrade-ordered'];
const ends = ['wave-finished', 'wave-declined'];

/** So many rows are held at a time, however old the store is. */
const atOnce = 100;

const later = (dates: Dates, record: Record<string, unknown>): Dates => {
  const action = String(record['action']);
  const parsed = Date.parse(String(record['at']));
  const at = Number.isNaN(parsed) ? null : parsed;
  return {
    createdMs: dates.createdMs ?? (action === 'wave-opened' ? at : null),
    startedMs: dates.startedMs ?? (begins.includes(action) ? at : null),
    endedMs: ends.includes(action) ? at : dates.endedMs,
  };
};

/** What the records of a wave, in their order, say of its dates. */
const datesOf = async (db: Kysely<FleetTables>, waveId: string): Promise<Dates> => {
  let dates: Dates = { createdMs: null, startedMs: null, endedMs: null };
  for (let after = -1; ;) {
    const rows = await db
      .selectFrom('audit_records')
      .select(['position', 'record'])
      .where('wave_id', '=', waveId)
      .where('chain', '=', 'server')
      .where('position', '>', after)
      .orderBy('position')
      .limit(atOnce)
      .execute();
    for (const { record } of rows)
      dates = later(dates, JSON.parse(record) as Record<string, unknown>);
    const last = rows.at(-1);
    if (last === undefined) return dates;
    after = last.position;
  }
};

/** Waves of before their dates were kept get them from the audit records (`Wave.wall`). */
export const waveDatesMigration: Migration = {
  up: async (db: Kysely<FleetTables>): Promise<void> => {
    for (let after = ''; ;) {
      const waves = await db
        .selectFrom('fleet_waves')
        .select(['id', 'doc'])
        .where('id', '>', after)
        .orderBy('id')
        .limit(atOnce)
        .execute();
      for (const { id, doc } of waves) {
        const wave = JSON.parse(doc) as Record<string, unknown>;
        await db
          .updateTable('fleet_waves')
          .set({ doc: JSON.stringify({ wall: await datesOf(db, id), ...wave }) })
          .where('id', '=', id)
          .execute();
      }
      const last = waves.at(-1);
      if (last === undefined) return;
      after = last.id;
    }
  },
};
