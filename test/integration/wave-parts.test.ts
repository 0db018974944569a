import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultFleetSettings, emptyFleet } from '../../src/core/coordinator/fleet.ts';
import type { Fleet, Wave, WaveUpgrade } from '../../src/core/coordinator/fleet.ts';
import { encodeDocument } from '../../src/store/document.ts';
import { loadFleet, saveFleet } from '../../src/store/fleet-rows.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/open-store.ts';

let directory: string;
let store: Store;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gs-parts-'));
  store = await openStore(join(directory, 'store.db'));
});
afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true });
});

const upgrade = (more: Partial<WaveUpgrade> = {}): WaveUpgrade => ({
  ...{ state: 'pending', mode: 'packages', allowRemove: false, reason: '' },
  packages: [{ name: 'libssl3', want: 'exact', version: '2' }],
  ...more,
});

const wave = (): Wave => ({
  ...{ id: 'w1', cause: { kind: 'found-stale' }, createdAt: 1, endedAt: null, approvedBy: null },
  wall: { createdMs: null, startedMs: null, endedMs: null },
  ...{ state: 'open', pausedBy: null, stage: 'canary', goodCanaries: 0, failures: 0 },
  ...{ maxFailures: 0, byHand: false, outagesAllowed: [], told: [] },
  members: new Map([['h2/web', { state: 'pending', attempts: 0, reason: '' }]]),
  upgrades: new Map([
    ['h2', upgrade()],
    ['h1', upgrade()],
  ]),
});

const load = async (): Promise<Fleet> => {
  const fleet = emptyFleet(defaultFleetSettings, 1, 1);
  await loadFleet(store.db, fleet);
  return fleet;
};

const save = (fleet: Fleet): Promise<void> =>
  saveFleet(store.db, fleet, [{ table: 'waves', key: 'w1' }]);

const docs = async (): Promise<Record<string, string>> =>
  Object.fromEntries(
    (await store.db.selectFrom('fleet_wave_parts').selectAll().execute()).map(({ key, doc }) => [
      key,
      doc,
    ]),
  );

/** Stored by a program that knew no parts: everything in the row of the wave. */
const saveAsBefore = (one: Wave): Promise<unknown> =>
  store.db
    .insertInto('fleet_waves')
    .values({ id: one.id, state: one.state, created_at: 1, doc: encodeDocument(one) })
    .execute();

test('a wave comes back as it was, in its order, from what several writings have left', async () => {
  const fleet = emptyFleet(defaultFleetSettings, 1, 1);
  const one = wave();
  fleet.waves.set('w1', one);
  await save(fleet);
  one.upgrades.set('h0', upgrade({ state: 'failed', reason: 'no room' }));
  const second = one.upgrades.get('h1');
  if (second !== undefined)
    second.packages = [{ name: 'libssl3', want: 'exact', version: '3', exploited: true }];
  Object.assign(one.members.get('h2/web') ?? {}, { state: 'stale', reason: 'still' });
  one.members.set('h1/web', { state: 'pending', attempts: 1, reason: '' });
  await save(fleet);
  one.upgrades.delete('h2');
  await save(fleet);
  const again = (await load()).waves.get('w1');
  expect(again).toEqual(one);
  expect([...(again?.upgrades.keys() ?? [])]).toEqual(['h1', 'h0']);
  expect([...(again?.members.keys() ?? [])]).toEqual(['h2/web', 'h1/web']);
});

test('only what has changed is written, and not why an upgrade waits', async () => {
  const fleet = emptyFleet(defaultFleetSettings, 1, 1);
  fleet.waves.set('w1', wave());
  await save(fleet);
  const loaded = await load();
  // What is written again has another text than this.
  await store.db.updateTable('fleet_wave_parts').set({ doc: 'as it was' }).execute();
  const one = loaded.waves.get('w1');
  for (const each of one?.upgrades.values() ?? []) each.reason = 'waits for the upgrade of h9';
  await save(loaded);
  expect(await docs()).toEqual({ h1: 'as it was', h2: 'as it was', 'h2/web': 'as it was' });
  Object.assign(one?.upgrades.get('h2') ?? {}, { state: 'running' });
  await save(loaded);
  expect(await docs()).toMatchObject({
    ...{ h1: 'as it was', h2: expect.stringContaining('running') as unknown },
  });
});

test('hosts that are to get the same share its list', async () => {
  const fleet = emptyFleet(defaultFleetSettings, 1, 1);
  fleet.waves.set('w1', wave());
  await save(fleet);
  const [first, second] = [...((await load()).waves.get('w1')?.upgrades.values() ?? [])];
  expect(first?.packages).toHaveLength(1);
  expect(first?.packages).toBe(second?.packages);
});

test('one that was stored as a whole is taken apart when it is written again', async () => {
  await saveAsBefore(wave());
  const loaded = await load();
  expect(loaded.waves.get('w1')).toEqual(wave());
  await save(loaded);
  expect(Object.keys(await docs()).sort()).toEqual(['h1', 'h2', 'h2/web']);
  expect((await load()).waves.get('w1')).toEqual(wave());
});
