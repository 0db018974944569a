import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createWriteStream, existsSync } from 'node:fs';
import { cp, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { callApi, downloadApi } from '../../../src/api/client.ts';
import { readBundleFile } from '../../../src/audit/bundle-file.ts';
import { verifyBundle } from '../../../src/audit/verify-bundle.ts';
import { loadOrMakeKeys } from '../../../src/jobs/key-files.ts';
import { verifyKeyOf } from '../../../src/jobs/signing-key.ts';
import { restoreBackup } from '../../../src/store/backup/restore-backup.ts';
import { writeBackup } from '../../../src/store/backup/write-backup.ts';
import { openSqlite } from '../../../src/store/open-sqlite.ts';
import type { SqliteHandle } from '../../../src/store/open-sqlite.ts';
import { writeUnderWay } from '../../../src/store/backup/under-way.ts';
import { waitUntil } from '../../bed/wait-until.ts';
import { startServerAndAgents } from '../fleet/server-and-agents.ts';
import { wait } from '../fleet/machines.ts';
import type { ServerAndAgents } from '../fleet/server-and-agents.ts';

let rig: ServerAndAgents;
let serverDirectory: string;
const handles: SqliteHandle[] = [];

const stopsOfEach = (): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const id of rig.stops()) counts[id] = (counts[id] ?? 0) + 1;
  return counts;
};

const backUp = (name: string): Promise<unknown> =>
  writeBackup({
    ...{ serverDirectory, directory: join(rig.directory, name), program: '0', now: new Date() },
  });
const restore = (name: string): Promise<unknown> =>
  restoreBackup({
    ...{ serverDirectory, directory: join(rig.directory, name), actor: 'ann@srv', now: new Date() },
  });

beforeEach(async () => {
  rig = await startServerAndAgents();
  serverDirectory = join(rig.data, 'server');
});
afterEach(async () => {
  for (const handle of handles.splice(0)) handle.close();
  await rig.dispose();
});

/** What the store says of itself, while nobody or a server works on it. */
const openLook = (): { isMarked: () => boolean; epoch: () => number; generation: () => number } => {
  const handle = openSqlite(join(serverDirectory, 'store.sqlite'));
  handles.push(handle);
  const ask = (text: string): number =>
    Number(Object.values(handle.prepare(text).get() as object)[0]);
  return {
    isMarked: () => ask('SELECT count(*) FROM restored') > 0,
    epoch: () => ask('SELECT epoch FROM lease'),
    generation: () => ask('SELECT generation FROM meta'),
  };
};

test('a store put back to before its last grants: known at once, once, and nothing is done twice or freed', async () => {
  await rig.enrol('h1', ['web-1', 'web-2']);
  await rig.enrol('h2', ['web-3']);
  await rig.untilKnown();
  await backUp('b1');

  // What the backup has not: a wave that is over, and one in the middle of a stop.
  await rig.upgradeEverywhere(2);
  await waitUntil('all were restarted', () => rig.stops().length === 3, wait);
  await waitUntil('the wave is over', async () => (await rig.status()).grants.length === 0, wait);
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  for (const { fake } of rig.machines.values()) fake.duringStop = () => held;
  await rig.upgradeEverywhere(3);
  await waitUntil('one is being stopped', () => rig.stops().length === 4, wait);

  await expect(restore('b1')).rejects.toThrow(/a server works in .*server: stop it first/);
  await rig.kill();
  await restore('b1');

  // A server that dies as soon as it leads, and one that dies as soon as it has taken the restore up.
  const look = openLook();
  expect(look.isMarked()).toBe(true);
  const before = look.epoch();
  rig.spawnServer();
  await waitUntil('it leads', () => look.epoch() > before, { ...wait, everyMs: 1 });
  await rig.kill();
  if (look.isMarked()) {
    rig.spawnServer();
    await waitUntil('it is taken up', () => !look.isMarked(), { ...wait, everyMs: 1 });
    await rig.kill();
  }
  const generation = look.generation();
  expect(generation).toBeGreaterThan(1_000_000);
  await rig.startServer();
  expect(look.generation()).toBe(generation);

  await rig.untilKnown();
  const paused = await rig.status();
  expect(paused.pauses).toMatchObject([
    { actor: 'groundswell', level: { level: 'fleet' }, state: 'pausing', inFlight: 1 },
  ]);
  expect(paused.pauses[0]?.reason).toMatch(
    /restored from a backup of .* by ann@srv: .*groundswell resume/,
  );
  // The stop that is under way was given in the time that is forgotten: it holds its unit.
  const twice = Object.entries(stopsOfEach()).flatMap(([id, count]) => (count === 2 ? [id] : []));
  expect(paused.grants.map(({ container }) => container)).toEqual(twice);
  await sleep(1_500);
  expect(rig.stops()).toHaveLength(4);

  for (const { fake } of rig.machines.values()) fake.duringStop = () => Promise.resolve();
  release();
  await waitUntil(
    'it reads paused',
    async () => (await rig.status()).pauses[0]?.state === 'paused',
    wait,
  );
  await rig.act({ action: 'resume', level: { level: 'fleet' } });
  // What runs old code by the forgotten upgrade is found, and asks.
  const wave = await waitUntil(
    'a wave asks',
    async () => (await rig.status()).waves.find(({ state }) => state.startsWith('waiting')) ?? null,
    wait,
  );
  await rig.act({ action: 'approve', waveId: wave.id });
  await waitUntil('the others were restarted', () => rig.stops().length === 6, wait);
  await waitUntil('all is over', async () => (await rig.status()).grants.length === 0, wait);
  await sleep(1_000);
  expect(stopsOfEach()).toEqual({ 'h1/web-1': 2, 'h1/web-2': 2, 'h2/web-3': 2 });

  const records = (await callApi(rig.socket, 'GET', '/v1/audit?limit=200')) as {
    record: Record<string, unknown>;
  }[];
  const restored = records.filter(({ record }) => record['action'] === 'store-restored');
  expect(restored.map(({ record }) => record)).toMatchObject([
    { actor: 'ann@srv', subject: 'fleet', outcome: 'known', details: { before: 1, generation } },
  ]);
  const trail = join(rig.directory, 'trail.jsonl.gz');
  await pipeline(await downloadApi(rig.socket, '/v1/audit/bundle'), createWriteStream(trail));
  const { active } = await loadOrMakeKeys(join(serverDirectory, 'keys.json'), null);
  const verified = await verifyBundle(readBundleFile(trail), {
    ...{ keys: new Map([[active.id, verifyKeyOf(active).publicKey]]), anchors: [] },
    ...{ partial: false, underWayMs: 0 },
  });
  expect(verified.findings).toEqual([]);
}, 240_000);

test('a copy of a backup that somebody puts in place by hand, twice, is known as well', async () => {
  await rig.enrol('h1', ['web-1']);
  await rig.untilKnown();
  await backUp('b1');
  const generations: number[] = [];
  for (const n of [1, 2]) {
    await rig.kill();
    await rename(serverDirectory, join(rig.directory, `old-${n}`));
    await cp(join(rig.directory, 'b1'), serverDirectory, { recursive: true });
    await rig.startServer();
    await rig.untilKnown();
    const { pauses } = await rig.status();
    expect(pauses).toMatchObject([{ state: 'paused', level: { level: 'fleet' } }]);
    expect(pauses[0]?.reason).toContain('by somebody');
    generations.push(openLook().generation());
  }
  const [first = 0, second = 0] = generations;
  expect(second).toBeGreaterThan(first);
}, 240_000);

test('no server begins where a restore was broken off, and it says which command goes on', async () => {
  await backUp('b1');
  await rig.kill();
  await restore('b1');
  await rename(join(serverDirectory, 'keys.json'), join(serverDirectory, 'restoring.keys'));
  await writeUnderWay(serverDirectory, {
    ...{ format: 1, backup: join(rig.directory, 'b1'), madeAt: new Date().toISOString() },
    ...{ suffix: '.before-restore-20261130T000000Z', aside: [], staged: [] },
  });
  await expect(rig.startServer()).rejects.toThrow(
    `to go on with it: groundswell restore ${join(rig.directory, 'b1')}`,
  );
  // Nothing was made anew in the place of what was moved away.
  expect(existsSync(join(serverDirectory, 'keys.json'))).toBe(false);
  await rename(join(serverDirectory, 'restoring.keys'), join(serverDirectory, 'keys.json'));
  await restore('b1');
  await rig.startServer();
}, 240_000);

test('no server begins that cannot record that its store was restored, and the next one does', async () => {
  await backUp('b1');
  await rig.kill();
  await restore('b1');
  const handle = openSqlite(join(serverDirectory, 'store.sqlite'));
  handles.push(handle);
  handle.exec(
    "CREATE TRIGGER full BEFORE INSERT ON fleet_pauses BEGIN SELECT RAISE(ABORT, 'no room'); END",
  );
  await expect(rig.startServer()).rejects.toThrow('no room');
  const look = openLook();
  expect([look.isMarked(), look.generation()]).toEqual([true, 1]);
  handle.exec('DROP TRIGGER full');
  await rig.startServer();
  expect(look.isMarked()).toBe(false);
  expect((await rig.status()).pauses).toHaveLength(1);
}, 240_000);
