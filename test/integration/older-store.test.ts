import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { defaultFleetSettings, emptyFleet } from '../../src/core/coordinator/fleet.ts';
import { appendAuditRecords } from '../../src/store/audit-records.ts';
import { loadFleet } from '../../src/store/fleet-rows.ts';
import { listAuditRecords } from '../../src/store/list-audit-records.ts';
import { waveDatesMigration } from '../../src/store/migrations/003-wave-dates.ts';
import { openSqlite } from '../../src/store/open-sqlite.ts';
import { openStore } from '../../src/store/open-store.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gs-older-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

const at = (minute: number): string => new Date(Date.UTC(2027, 0, 1, 0, minute)).toISOString();

const record = (seq: number, action: string, minute: number) => ({
  ...{ chain: 'server', life: '', seq, hash: String(seq), proven: true },
  record: { action, at: at(minute), wave: 'w1', actor: 'groundswell', subject: 'wave w1' },
});

test('a migration that breaks off in its middle is undone, and done once it can be', async () => {
  const path = join(directory, 'store.db');
  const database = openSqlite(path);
  const tables = (): unknown[] =>
    database
      .prepare("select name from sqlite_master where type = 'table' order by name")
      .raw()
      .all();
  // One of the last tables of the first migration.
  database.exec('create table host_keys (other integer)');
  await expect(openStore(path)).rejects.toThrow(
    'migration 001-infrastructure of the store failed and was undone',
  );
  expect(tables().flat()).toEqual(['host_keys', 'kysely_migration', 'kysely_migration_lock']);
  database.exec('drop table host_keys');
  database.close();
  await (await openStore(path)).close();
});

test('rows of a program that had less to keep are loaded, waves with the dates of their records', async () => {
  const path = join(directory, 'store.db');
  const before = await openStore(path);
  // As the program before wrote them: without the dates, without waits, without the form of the root.
  await sql`delete from kysely_migration where name >= '003'`.execute(before.db);
  const made = [
    ...['advisory_names', 'fleet_wave_parts', 'audit_checkpoints', 'audit_leaves'],
    ...['audit_segments', 'audit_keys', 'audit_anchors', 'restored'],
    'recorded_settings',
  ];
  for (const table of [
    ...made,
    'feeds',
    'advisories',
    'inventories',
    'host_inventories',
    'updates_seen',
  ])
    await before.db.schema.dropTable(table).execute();
  const host = { id: 'h1', incarnation: 'life-1', transactions: 3 };
  await before.db
    .insertInto('fleet_hosts')
    .values({ id: 'h1', doc: JSON.stringify(host) })
    .execute();
  const wave = { id: 'w1', state: 'finished', createdAt: 1, endedAt: 2, members: { $map: [] } };
  await before.db
    .insertInto('fleet_waves')
    .values({ id: 'w1', state: 'finished', created_at: 1, doc: JSON.stringify(wave) })
    .execute();
  const grant = { id: 'g1', waveId: 'w1', host: 'h1', container: 'h1/web-1' };
  await before.db
    .insertInto('fleet_grants')
    .values({
      id: 'g1',
      wave_id: 'w1',
      host_id: 'h1',
      container: null,
      ended: 0,
      doc: JSON.stringify(grant),
    })
    .execute();
  const container = { id: 'h1/web-1', host: 'h1', service: 'web', view: { name: 'web-1' } };
  await before.db
    .insertInto('fleet_containers')
    .values({ id: 'h1/web-1', host_id: 'h1', service: 'web', doc: JSON.stringify(container) })
    .execute();
  await appendAuditRecords(before.db, [
    record(1, 'wave-opened', 0),
    record(2, 'granted', 4),
    record(3, 'granted', 5),
    record(4, 'wave-finished', 6),
  ]);
  await before.db.schema.dropIndex('audit_records_unproven').execute();
  for (const column of ['at', 'outcome', 'container', 'service', 'wave_id', 'actor'])
    await before.db.schema.dropIndex(`audit_records_by_${column}`).execute();
  for (const column of ['container', 'service', 'wave_id', 'actor'])
    await before.db.schema
      .createIndex(`audit_records_${column}`)
      .on('audit_records')
      .column(column)
      .execute();
  for (const column of ['at', 'outcome', 'proven'])
    await before.db.schema.alterTable('audit_records').dropColumn(column).execute();
  await before.close();

  const after = await openStore(path);
  const fleet = emptyFleet(defaultFleetSettings, 1, 1);
  await loadFleet(after.db, fleet);
  const found = await listAuditRecords(after.db, {
    ...{ container: undefined, service: undefined, wave: undefined, actor: undefined },
    ...{ outcome: undefined, since: at(5), until: undefined, after: 0, limit: 10 },
  });
  await after.close();
  expect(found.map(({ seq }) => seq)).toEqual([3, 4]);
  expect(fleet.waves.get('w1')).toMatchObject({
    members: new Map(),
    wall: {
      ...{ createdMs: Date.parse(at(0)), startedMs: Date.parse(at(4)), endedMs: Date.parse(at(6)) },
    },
  });
  expect(fleet.hosts.get('h1')).toMatchObject({ needs: null, tried: [], refreshAskedAt: null });
  expect(fleet.grants.get('g1')).toMatchObject({ waiting: null });
  expect(fleet.containers.get('h1/web-1')).toMatchObject({
    view: { name: 'web-1', oldForm: false, rootNote: '' },
  });
});

test('waves get their dates in pieces, however many there are', async () => {
  const { db, close } = await openStore(join(directory, 'store.db'));
  const ids = Array.from({ length: 150 }, (_, n) => `w${n}`);
  for (const id of ids)
    await db
      .insertInto('fleet_waves')
      .values({ id, state: 'finished', created_at: 1, doc: JSON.stringify({ id }) })
      .execute();
  const actions = ['wave-opened', ...Array.from({ length: 500 }, () => 'granted'), 'wave-finished'];
  await appendAuditRecords(
    db,
    actions.map((action, n) => record(n + 1, action, n)),
  );
  let most = 0;
  await waveDatesMigration.up(
    db.withPlugin({
      transformQuery: ({ node }) => node,
      transformResult: ({ result }) => {
        most = Math.max(most, result.rows.length);
        return Promise.resolve(result);
      },
    }),
  );
  expect(most).toBeLessThanOrEqual(100);
  const waves = await db.selectFrom('fleet_waves').select(['id', 'doc']).execute();
  await close();
  const docs = new Map(waves.map(({ id, doc }) => [id, JSON.parse(doc) as unknown]));
  const none = { createdMs: null, startedMs: null, endedMs: null };
  for (const id of ids)
    expect(docs.get(id)).toEqual({
      id,
      wall:
        id === 'w1'
          ? {
              createdMs: Date.parse(at(0)),
              startedMs: Date.parse(at(1)),
              endedMs: Date.parse(at(501)),
            }
          : none,
    });
});

test('waves that left a container out are there, however long ago they ended (R34)', async () => {
  const { db, close } = await openStore(join(directory, 'store.db'));
  for (let n = 0; n < 60; n++)
    await db
      .insertInto('fleet_waves')
      .values({
        ...{ id: `w${n}`, state: 'finished', created_at: n },
        doc: JSON.stringify({ id: `w${n}`, members: [], upgrades: [] }),
      })
      .execute();
  const container = { id: 'h1/web-1', host: 'h1', view: {}, optedOutOf: ['w3'] };
  await db
    .insertInto('fleet_containers')
    .values({
      ...{ id: 'h1/web-1', host_id: 'h1', service: 'web' },
      doc: JSON.stringify(container),
    })
    .execute();
  const fleet = emptyFleet(defaultFleetSettings, 1, 1);
  await loadFleet(db, fleet);
  await close();
  expect([...fleet.waves.keys()].slice(0, 2)).toEqual(['w3', 'w10']);
});
