import { afterEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startRedisChild } from '../../src/main/redis-child.ts';
import { waitUntil } from '../bed/wait-until.ts';
import { needsRoot } from './needs-root.ts';
import { createServerAndAgents } from './fleet/server-and-agents.ts';
import { wait } from './fleet/machines.ts';
import type { ServerAndAgents } from './fleet/server-and-agents.ts';
import { mountSmallDisk } from './small-disk.ts';
import type { SmallDisk } from './small-disk.ts';

let rig: ServerAndAgents;
let disk: SmallDisk;
let redisDirectory: string;
let redis: Awaited<ReturnType<typeof startRedisChild>>;

const begin = async (where: 'server' | 'Redis'): Promise<void> => {
  redisDirectory = await mkdtemp(join(tmpdir(), 'gs-redis-'));
  if (where === 'Redis') disk = mountSmallDisk(redisDirectory, 16);
  redis = await startRedisChild({ dataDirectory: redisDirectory, onProblem: () => undefined });
  rig = await createServerAndAgents(redis.address);
  if (where === 'server') disk = mountSmallDisk(rig.data, 16);
  await rig.startServer();
  await rig.enrol('h1', ['web-1', 'web-2']);
  await rig.untilKnown();
};

afterEach(async () => {
  await redis.stop();
  disk.unmount();
  await rig.dispose();
  await rm(redisDirectory, { recursive: true });
});

const allGoesOn = async (): Promise<void> => {
  await waitUntil('both were restarted', () => rig.stops().length === 2, wait);
  await waitUntil('all is over', async () => (await rig.status()).grants.length === 0, wait);
  await waitUntil('nothing is wrong', async () => (await rig.status()).alerts.length === 0, wait);
};

needsRoot(describe)('a full disk', () => {
  test('under the server’s store: nothing is granted that is not written, it is said, and all goes on when there is room', async () => {
    await begin('server');
    disk.fill();
    await rig.upgradeEverywhere(2);
    const { alerts } = await waitUntil(
      'it is said',
      async () => {
        const status = await rig.status();
        return status.alerts.length > 0 ? status : null;
      },
      wait,
    );
    expect(alerts.map(({ text }) => text)).toEqual([
      expect.stringMatching(/^the store cannot be written \(.*full.*\): nothing is granted/),
    ]);
    // Whoever would stop what goes on hears that it was not heard.
    const pause = { action: 'pause', level: { level: 'fleet' }, reason: 'a look' };
    await expect(rig.act(pause)).rejects.toThrow(/full/);
    // A whole restart would fit into this.
    await sleep(1_500);
    expect(rig.stops()).toEqual([]);
    expect((await rig.status()).pauses).toEqual([]);
    disk.free();
    await allGoesOn();
  }, 120_000);

  test('under Redis: nothing begins, it is said, and all goes on when there is room', async () => {
    await begin('Redis');
    disk.fill();
    await rig.upgradeEverywhere(2);
    await waitUntil(
      'it is said',
      async () => (await rig.status()).redisFaults.includes('refuses-writes'),
      wait,
    );
    expect(rig.stops()).toEqual([]);
    disk.free();
    await allGoesOn();
  }, 120_000);
});
