import type { Kysely } from 'kysely';
import type { Fleet, Freeze, Pause } from '../core/coordinator/fleet.ts';
import { takeUpDoubt } from '../core/coordinator/silence.ts';
import type { Dirty } from '../core/coordinator/turn.ts';
import { decodeDocument, encodeDocument } from './document.ts';
import type { FleetTables } from './fleet-tables.ts';
import { containerOf, grantOf, hostOf, waveOf } from './older-documents.ts';
import { loadWaveParts, saveWaveParts } from './wave-parts.ts';

const put = async (db: Kysely<FleetTables>, fleet: Fleet, row: Dirty): Promise<void> => {
  switch (row.table) {
    case 'meta':
      return;
    case 'hosts': {
      const host = fleet.hosts.get(row.key);
      if (host === undefined) {
        await db.deleteFrom('fleet_hosts').where('id', '=', row.key).execute();
        return;
      }
      const doc = encodeDocument({ ...host, issued: [], needs: null, greeted: false });
      await db
        .insertInto('fleet_hosts')
        .values({ id: row.key, doc })
        .onConflict((clash) => clash.column('id').doUpdateSet({ doc }))
        .execute();
      return;
    }
    case 'containers': {
      const container = fleet.containers.get(row.key);
      if (container === undefined) {
        await db.deleteFrom('fleet_containers').where('id', '=', row.key).execute();
        return;
      }
      const values = {
        host_id: container.host,
        service: container.service,
        doc: encodeDocument(container),
      };
      await db
        .insertInto('fleet_containers')
        .values({ id: row.key, ...values })
        .onConflict((clash) => clash.column('id').doUpdateSet(values))
        .execute();
      return;
    }
    case 'grants': {
      const grant = fleet.grants.get(row.key);
      if (grant === undefined) {
        await db.updateTable('fleet_grants').set({ ended: 1 }).where('id', '=', row.key).execute();
        return;
      }
      const values = {
        wave_id: grant.waveId,
        host_id: grant.host,
        container: grant.container,
        ended: 0,
        doc: encodeDocument(grant),
      };
      await db
        .insertInto('fleet_grants')
        .values({ id: row.key, ...values })
        .onConflict((clash) => clash.column('id').doUpdateSet(values))
        .execute();
      return;
    }
    case 'waves': {
      const wave = fleet.waves.get(row.key);
      if (wave === undefined) return;
      await saveWaveParts(db, wave);
      const doc = encodeDocument({ ...wave, members: new Map(), upgrades: new Map() });
      const values = { state: wave.state, created_at: wave.createdAt, doc };
      await db
        .insertInto('fleet_waves')
        .values({ id: row.key, ...values })
        .onConflict((clash) => clash.column('id').doUpdateSet(values))
        .execute();
      return;
    }
    case 'pauses':
    case 'freezes': {
      const table = row.table === 'pauses' ? ('fleet_pauses' as const) : ('fleet_freezes' as const);
      const entity =
        row.table === 'pauses' ? fleet.pauses.get(row.key) : fleet.freezes.get(row.key);
      if (entity === undefined) {
        await db.deleteFrom(table).where('id', '=', row.key).execute();
        return;
      }
      const doc = encodeDocument(entity);
      await db
        .insertInto(table)
        .values({ id: row.key, doc })
        .onConflict((clash) => clash.column('id').doUpdateSet({ doc }))
        .execute();
    }
  }
};

/** Write what a step changed; call it inside the transaction that also holds audits and outbox rows (R19). */
export const saveFleet = async (
  db: Kysely<FleetTables>,
  fleet: Fleet,
  dirty: Dirty[],
): Promise<void> => {
  // Of several steps that are written together, many change the same.
  const rows = new Map(dirty.map((row) => [`${row.table} ${row.key}`, row]));
  for (const row of rows.values()) await put(db, fleet, row);
};

/** How many waves that are over are kept in memory for `waves`; the rest stay in the store. */
const keptWaves = 50;

/** Fill an empty fleet with what the store holds. Record numbers begin anew with the epoch (R11). */
export const loadFleet = async (db: Kysely<FleetTables>, fleet: Fleet): Promise<void> => {
  for (const { doc } of await db.selectFrom('fleet_hosts').select('doc').execute()) {
    const host = hostOf(doc);
    fleet.hosts.set(host.id, { ...host, recordN: 0, issued: [], greeted: false });
  }
  takeUpDoubt(fleet);
  for (const { doc } of await db.selectFrom('fleet_containers').select('doc').execute()) {
    const container = containerOf(doc);
    fleet.containers.set(container.id, container);
  }
  for (const { doc } of await db
    .selectFrom('fleet_grants')
    .select('doc')
    .where('ended', '=', 0)
    .execute()) {
    const grant = grantOf(doc);
    fleet.grants.set(grant.id, grant);
  }
  const over = ['finished', 'stopped', 'declined'];
  const open = await db
    .selectFrom('fleet_waves')
    .select('doc')
    .where('state', 'not in', over)
    .orderBy('created_at')
    .execute();
  const ended = await db
    .selectFrom('fleet_waves')
    .select('doc')
    .where('state', 'in', over)
    .orderBy('created_at', 'desc')
    .limit(keptWaves)
    .execute();
  // Containers that they left out are taken up again by them, however long ago they ended (R34).
  const wanted = [...fleet.containers.values()].flatMap(({ optedOutOf }) => optedOutOf);
  const older =
    wanted.length === 0
      ? []
      : await db
          .selectFrom('fleet_waves')
          .select('doc')
          .where('id', 'in', [...new Set(wanted)])
          .execute();
  for (const { doc } of [...older, ...ended.reverse(), ...open]) {
    const wave = waveOf(doc);
    fleet.waves.set(wave.id, wave);
  }
  await loadWaveParts(db, fleet);
  for (const { doc } of await db.selectFrom('fleet_pauses').select('doc').execute()) {
    const pause = decodeDocument(doc) as Pause;
    fleet.pauses.set(pause.id, pause);
  }
  for (const { doc } of await db.selectFrom('fleet_freezes').select('doc').execute()) {
    const freeze = decodeDocument(doc) as Freeze;
    fleet.freezes.set(freeze.id, freeze);
  }
};
