import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { startRedisProcess } from './redis-process.ts';
import type { RedisProcess } from './redis-process.ts';
import { startRig } from './rig.ts';
import type { Rig } from './rig.ts';

let redis: RedisProcess;
let admin: Redis;
let rig: Rig;
beforeEach(async () => {
  redis = await startRedisProcess();
  admin = redis.client();
  rig = await startRig({ kind: 'url', url: redis.url });
});
afterEach(async () => {
  await rig.stop();
  await redis.stop();
});

const losses: [string, RegExp, () => Promise<void>][] = [
  [
    'is emptied (FLUSHALL)',
    /Redis lost its data.*put in again by itself/,
    async () => {
      await admin.flushall();
    },
  ],
  [
    'is killed, and starts without its last second',
    /Redis went back to an earlier state/,
    async () => {
      const { cutBack } = await redis.mark();
      await sleep(1_500);
      await redis.kill();
      await cutBack();
      await redis.start();
    },
  ],
  [
    'is killed, and starts without its data',
    /Redis lost its data/,
    async () => {
      await redis.kill();
      await redis.deleteData();
      await redis.start();
    },
  ],
];

test.each(losses)(
  'a Redis that %s in the middle of each restart',
  async (_, words, lose) => {
    // In the middle of every stop: with jobs under way, and reports about them.
    rig.fake.duringStop = lose;
    await rig.upgrade();
    await rig.untilDone();
    await rig.untilTold('lost-data', words);
    expect(rig.fake.events.filter((event) => event.startsWith('stop '))).toHaveLength(3);
  },
  180_000,
);
