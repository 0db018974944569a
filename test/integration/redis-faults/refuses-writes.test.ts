import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { infoField } from '../../../src/core/redis-fault.ts';
import { startRedisProcess } from './redis-process.ts';
import type { RedisProcess } from './redis-process.ts';
import { startRig, throughFault } from './rig.ts';
import type { Fault, Rig } from './rig.ts';

let redis: RedisProcess;
let admin: Redis;
let rig: Rig;
beforeAll(async () => {
  redis = await startRedisProcess();
  admin = redis.client();
});
afterAll(() => redis.stop());
beforeEach(async () => {
  await set(...sound)();
  await admin.flushall();
  rig = await startRig({ kind: 'url', url: redis.url });
});
afterEach(() => rig.stop());

const info = async (name: string): Promise<number> =>
  Number(infoField(await admin.info(), name) ?? 0);

const set =
  (...pairs: [string, string][]) =>
  async (): Promise<void> => {
    for (const [name, value] of pairs) await admin.config('SET', name, value);
  };

/** As it is before each test. */
const sound: [string, string][] = [
  ['maxmemory', '0'],
  ['maxmemory-policy', 'noeviction'],
  ['min-replicas-to-write', '0'],
  ['maxclients', '10000'],
];

test.each<[string, Fault]>([
  [
    'a read-only replica',
    {
      ...{ kind: 'read-only', words: /replica of 127\.0\.0\.1:1 .*REPLICAOF NO ONE/ },
      begin: () => admin.replicaof('127.0.0.1', 1),
      end: () => admin.replicaof('NO', 'ONE'),
    },
  ],
  [
    'full',
    {
      ...{ kind: 'full', words: /reached its maxmemory .*CONFIG SET maxmemory/ },
      begin: set(['maxmemory', '1mb']),
      end: set(['maxmemory', '0']),
    },
  ],
  [
    'without the replicas that it wants',
    {
      ...{ kind: 'refuses-writes', words: /refuses writes \(NOREPLICAS.*look at the disk/ },
      begin: set(['min-replicas-to-write', '1']),
      end: set(['min-replicas-to-write', '0']),
    },
  ],
  [
    'out of connections',
    {
      ...{ kind: 'unreachable', words: /closes the connection .*maxclients/ },
      begin: async () => {
        await set(['maxclients', '1'])();
        await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      },
      end: set(['maxclients', '10000']),
    },
  ],
])(
  'a Redis that is %s',
  async (_, fault) => {
    let begun = { at: 0, commands: 0 };
    let perSecond = 0;
    const borne = await throughFault(rig, {
      ...fault,
      begin: async () => {
        await fault.begin();
        begun = { at: performance.now(), commands: await info('total_commands_processed') };
      },
      end: async () => {
        const commands = (await info('total_commands_processed')) - begun.commands;
        perSecond = (commands * 1_000) / (performance.now() - begun.at);
        await fault.end();
      },
    });
    expect(borne.load).toBeLessThan(0.5);
    // A worker that spins makes 40,000.
    expect(perSecond).toBeLessThan(500);
    expect(borne.doneMs).toBeLessThan(30_000);
  },
  180_000,
);

test('one that may throw jobs away, or is nearly full, is told while the work goes on', async () => {
  await set(['maxmemory-policy', 'allkeys-lru'])();
  await rig.untilTold('evicts', /maxmemory-policy of Redis is allkeys-lru.*noeviction/);
  await set(['maxmemory-policy', 'noeviction'])();
  await rig.untilWell();
  await set(['maxmemory', String(Math.round((await info('used_memory')) * 1.25))])();
  await rig.untilTold('nearly-full', /Redis has used \d+ MB of the \d+ MB/);
  await rig.upgrade();
  await rig.untilDone();
  await set(['maxmemory', '0'])();
  await rig.untilWell();
}, 180_000);
