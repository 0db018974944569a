import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { createWriteStream, existsSync } from 'node:fs';
import { cp, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { callApi, downloadApi } from '../../../src/api/client.ts';
import { readBundleFile } from '../../../src/audit/bundle-file.ts';
import { verifyBundle } from '../../../src/audit/verify-bundle.ts';
import type { StatusView } from '../../../src/cli/views.ts';
import { loadOrMakeKeys } from '../../../src/jobs/key-files.ts';
import { verifyKeyOf } from '../../../src/jobs/signing-key.ts';
import { publicKeysOf } from '../../../src/main/key-card.ts';
import { restoreBackup } from '../../../src/store/backup/restore-backup.ts';
import { writeBackup } from '../../../src/store/backup/write-backup.ts';
import { openSqlite } from '../../../src/store/open-sqlite.ts';
import type { SqliteHandle } from '../../../src/store/open-sqlite.ts';
import { writeUnderWay } from '../../../src/store/backup/under-way.ts';
import { agentTimes } from '../../../src/workers/agent/agent-options.ts';
import type { RunningAgent } from '../../../src/workers/agent/agent-options.ts';
import type { PackageEvents } from '../../../src/workers/agent/follow-packages.ts';
import { startAgent } from '../../../src/workers/agent/start-agent.ts';
import { createFakeHost } from '../agent/fake-host.ts';
import type { FakeHost } from '../agent/fake-host.ts';
import { waitUntil } from '../../bed/wait-until.ts';
import { startTestRedis } from '../redis.ts';
import type { TestRedis } from '../redis.ts';

const wait = { deadlineMs: 60_000, everyMs: 25 };
const serverArgs = ['--import', 'tsx', join(import.meta.dirname, 'server.child.ts')];

interface Machine {
  fake: FakeHost;
  agent: RunningAgent;
  packages: PackageEvents;
}

let directory: string;
let data: string;
let serverDirectory: string;
let redis: TestRedis;
let server: ReturnType<typeof spawnServer> | null;
const machines = new Map<string, Machine>();
const handles: SqliteHandle[] = [];

const spawnServer = () =>
  execa(
    process.execPath,
    [...serverArgs, JSON.stringify({ dataDirectory: data, redis: redis.address })],
    { reject: false },
  );

const startServer = async (): Promise<void> => {
  const started = spawnServer();
  server = started;
  const first = await Promise.race([
    new Promise<string>((resolve) => started.stdout.once('data', () => resolve('up'))),
    started.then(({ stderr }) => stderr),
  ]);
  if (first !== 'up') throw new Error(first);
};

const kill = async (): Promise<void> => {
  server?.kill('SIGKILL');
  await server;
  server = null;
};

const socket = (): string => join(data, 'api.sock');
const status = async (): Promise<StatusView> =>
  (await callApi(socket(), 'GET', '/v1/status')) as StatusView;
const act = (action: object): Promise<unknown> =>
  callApi(socket(), 'POST', '/v1/actions', { actor: 'ann', action });

const enrol = async (hostId: string, names: readonly string[]): Promise<void> => {
  const keyFile = join(directory, `${hostId}.json`);
  const keys = await loadOrMakeKeys(keyFile, null);
  const [publicKey = ''] = publicKeysOf(keys);
  await callApi(socket(), 'POST', '/v1/keys', {
    ...{ actor: 'ann', hostId, change: { kind: 'enrol', machineId: hostId, publicKey } },
  });
  await act({ action: 'host-add', hostId, zone: null, cap: null });
  const serverKeys = await loadOrMakeKeys(join(serverDirectory, 'keys.json'), null);
  const fake = createFakeHost(names);
  fake.drains = false;
  const watched: PackageEvents[] = [];
  const agent = await startAgent({
    ...{ hostId, version: '0', journalPath: join(directory, hostId, 'journal.sqlite') },
    redis: redis.address,
    serverKeys: () => [verifyKeyOf(serverKeys.active)],
    signingKey: () => keys.active,
    host: fake.host,
    describeSettings: (salt) => ({ salt, settings: {} }),
    watchPackages: (events) => {
      watched.push(events);
      setImmediate(events.onQuiet);
      const done = (): Promise<void> => Promise.resolve();
      return Promise.resolve({ suspend: done, resume: done, stop: done });
    },
    clock: { monoMs: () => performance.now(), wallMs: Date.now, newId: randomUUID },
    logger: { info: () => undefined, warn: () => undefined },
    times: {
      ...agentTimes,
      tickMs: 50,
      report: { againMs: { first: 300, largest: 2_000 }, pollMs: 50, paceMs: 5 },
      observe: { ...agentTimes.observe, lookEveryMs: 100, heartbeatMs: 300 },
      gate: { ...agentTimes.gate, limitMs: 100, everyMs: 20 },
    },
  });
  const [packages] = watched;
  if (packages === undefined) throw new Error('nobody watches packages');
  machines.set(hostId, { fake, agent, packages });
};

/** Somebody upgrades a library on every host. */
const upgradeEverywhere = async (version: number): Promise<void> => {
  const change = { name: 'libgs-demo1', arch: 'amd64', source: 'gs-demo' };
  for (const { fake, packages } of machines.values()) {
    packages.onOpen();
    fake.replaceLibrary();
    await packages.onTransaction({
      changes: [{ ...change, from: String(version - 1), to: String(version) }],
    });
  }
};

const stops = (): string[] =>
  [...machines].flatMap(([id, { fake }]) =>
    fake.events.flatMap((event) => (event.startsWith('stop ') ? [`${id}/${event.slice(5)}`] : [])),
  );
const stopsOfEach = (): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const id of stops()) counts[id] = (counts[id] ?? 0) + 1;
  return counts;
};

const untilKnown = (): Promise<boolean> =>
  waitUntil(
    'every host has told',
    async () => (await status()).hosts.every((host) => host.state === 'ok'),
    wait,
  );

const backUp = (name: string): Promise<unknown> =>
  writeBackup({
    ...{ serverDirectory, directory: join(directory, name), program: '0', now: new Date() },
  });
const restore = (name: string): Promise<unknown> =>
  restoreBackup({
    ...{ serverDirectory, directory: join(directory, name), actor: 'ann@srv', now: new Date() },
  });

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gs-restored-'));
  data = join(directory, 'data');
  serverDirectory = join(data, 'server');
  redis = await startTestRedis({ own: true });
  await startServer();
});
afterEach(async () => {
  await Promise.all([...machines.values()].map(({ agent }) => agent.stop()));
  machines.clear();
  await kill();
  for (const handle of handles.splice(0)) handle.close();
  await redis.stop();
  await rm(directory, { recursive: true });
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
  await enrol('h1', ['web-1', 'web-2']);
  await enrol('h2', ['web-3']);
  await untilKnown();
  await backUp('b1');

  // What the backup has not: a wave that is over, and one in the middle of a stop.
  await upgradeEverywhere(2);
  await waitUntil('all were restarted', () => stops().length === 3, wait);
  await waitUntil('the wave is over', async () => (await status()).grants.length === 0, wait);
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  for (const { fake } of machines.values()) fake.duringStop = () => held;
  await upgradeEverywhere(3);
  await waitUntil('one is being stopped', () => stops().length === 4, wait);

  await expect(restore('b1')).rejects.toThrow(/a server works in .*server: stop it first/);
  await kill();
  await restore('b1');

  // A server that dies as soon as it leads, and one that dies as soon as it has taken the restore up.
  const look = openLook();
  expect(look.isMarked()).toBe(true);
  const before = look.epoch();
  server = spawnServer();
  await waitUntil('it leads', () => look.epoch() > before, { ...wait, everyMs: 1 });
  await kill();
  if (look.isMarked()) {
    server = spawnServer();
    await waitUntil('it is taken up', () => !look.isMarked(), { ...wait, everyMs: 1 });
    await kill();
  }
  const generation = look.generation();
  expect(generation).toBeGreaterThan(1_000_000);
  await startServer();
  expect(look.generation()).toBe(generation);

  await untilKnown();
  const paused = await status();
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
  expect(stops()).toHaveLength(4);

  for (const { fake } of machines.values()) fake.duringStop = () => Promise.resolve();
  release();
  await waitUntil(
    'it reads paused',
    async () => (await status()).pauses[0]?.state === 'paused',
    wait,
  );
  await act({ action: 'resume', level: { level: 'fleet' } });
  // What runs old code by the forgotten upgrade is found, and asks.
  const wave = await waitUntil(
    'a wave asks',
    async () => (await status()).waves.find(({ state }) => state.startsWith('waiting')) ?? null,
    wait,
  );
  await act({ action: 'approve', waveId: wave.id });
  await waitUntil('the others were restarted', () => stops().length === 6, wait);
  await waitUntil('all is over', async () => (await status()).grants.length === 0, wait);
  await sleep(1_000);
  expect(stopsOfEach()).toEqual({ 'h1/web-1': 2, 'h1/web-2': 2, 'h2/web-3': 2 });

  const records = (await callApi(socket(), 'GET', '/v1/audit?limit=200')) as {
    record: Record<string, unknown>;
  }[];
  const restored = records.filter(({ record }) => record['action'] === 'store-restored');
  expect(restored.map(({ record }) => record)).toMatchObject([
    { actor: 'ann@srv', subject: 'fleet', outcome: 'known', details: { before: 1, generation } },
  ]);
  const trail = join(directory, 'trail.jsonl.gz');
  await pipeline(await downloadApi(socket(), '/v1/audit/bundle'), createWriteStream(trail));
  const { active } = await loadOrMakeKeys(join(serverDirectory, 'keys.json'), null);
  const verified = await verifyBundle(readBundleFile(trail), {
    ...{ keys: new Map([[active.id, verifyKeyOf(active).publicKey]]), anchors: [] },
    ...{ partial: false, underWayMs: 0 },
  });
  expect(verified.findings).toEqual([]);
}, 240_000);

test('a copy of a backup that somebody puts in place by hand, twice, is known as well', async () => {
  await enrol('h1', ['web-1']);
  await untilKnown();
  await backUp('b1');
  const generations: number[] = [];
  for (const n of [1, 2]) {
    await kill();
    await rename(serverDirectory, join(directory, `old-${n}`));
    await cp(join(directory, 'b1'), serverDirectory, { recursive: true });
    await startServer();
    await untilKnown();
    const { pauses } = await status();
    expect(pauses).toMatchObject([{ state: 'paused', level: { level: 'fleet' } }]);
    expect(pauses[0]?.reason).toContain('by somebody');
    generations.push(openLook().generation());
  }
  const [first = 0, second = 0] = generations;
  expect(second).toBeGreaterThan(first);
}, 240_000);

test('no server begins where a restore was broken off, and it says which command goes on', async () => {
  await backUp('b1');
  await kill();
  await restore('b1');
  await rename(join(serverDirectory, 'keys.json'), join(serverDirectory, 'restoring.keys'));
  await writeUnderWay(serverDirectory, {
    ...{ format: 1, backup: join(directory, 'b1'), madeAt: new Date().toISOString() },
    ...{ suffix: '.before-restore-20261130T000000Z', aside: [], staged: [] },
  });
  await expect(startServer()).rejects.toThrow(
    `to go on with it: groundswell restore ${join(directory, 'b1')}`,
  );
  // Nothing was made anew in the place of what was moved away.
  expect(existsSync(join(serverDirectory, 'keys.json'))).toBe(false);
  await rename(join(serverDirectory, 'restoring.keys'), join(serverDirectory, 'keys.json'));
  await restore('b1');
  await startServer();
}, 240_000);

test('no server begins that cannot record that its store was restored, and the next one does', async () => {
  await backUp('b1');
  await kill();
  await restore('b1');
  const handle = openSqlite(join(serverDirectory, 'store.sqlite'));
  handles.push(handle);
  handle.exec(
    "CREATE TRIGGER full BEFORE INSERT ON fleet_pauses BEGIN SELECT RAISE(ABORT, 'no room'); END",
  );
  await expect(startServer()).rejects.toThrow('no room');
  server = null;
  const look = openLook();
  expect([look.isMarked(), look.generation()]).toEqual([true, 1]);
  handle.exec('DROP TRIGGER full');
  await startServer();
  expect(look.isMarked()).toBe(false);
  expect((await status()).pauses).toHaveLength(1);
}, 240_000);
