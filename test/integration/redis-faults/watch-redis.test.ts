import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import type { RedisFaultKind } from '../../../src/core/redis-fault.ts';
import { connectSender } from '../../../src/jobs/connections.ts';
import { serverProbeKey } from '../../../src/jobs/queue-names.ts';
import { watchRedis } from '../../../src/workers/control/watch-redis.ts';
import type { RedisWatch } from '../../../src/workers/control/watch-redis.ts';
import { waitUntil } from '../../bed/wait-until.ts';
import { startRedisProcess } from './redis-process.ts';
import type { RedisProcess } from './redis-process.ts';

let redis: RedisProcess;
let admin: Redis;
let sender: Redis;
let watch: RedisWatch;
let told: string[];
let losses: number;
const problems: unknown[] = [];

beforeEach(async () => {
  redis = await startRedisProcess();
  admin = redis.client();
  sender = connectSender({ kind: 'url', url: redis.url }, () => undefined);
  told = [];
  losses = 0;
  watch = watchRedis({
    redis: sender,
    tell: ({ text }) => told.push(text),
    onLoss: () => (losses += 1),
    onError: (error) => problems.push(error),
    monotonicMs: () => performance.now(),
    wallMs: Date.now,
    times: { everyMs: 20, slowMs: 200, silentMs: 600, tellAfterMs: 500, lossShownMs: 300 },
  });
  await until([]);
});
afterEach(async () => {
  sender.disconnect();
  await watch.stop();
  await redis.stop();
  expect(problems.splice(0)).toEqual([]);
});

/** Until exactly these faults stand, and Redis was written to once more where it takes writes. */
const until = async (kinds: RedisFaultKind[]): Promise<void> => {
  await waitUntil(
    `faults ${kinds.join(', ')}`,
    () => sender.status !== 'connecting' && watch.kinds().join() === kinds.join(),
    { deadlineMs: 10_000, everyMs: 10 },
  );
};
const written = (): Promise<string> =>
  waitUntil('a write', () => admin.get(serverProbeKey), { deadlineMs: 5_000 });

test('a loss of data is known, told once, acted upon, and over after a while', async () => {
  await written();
  await admin.flushall();
  await until(['lost-data']);
  expect(losses).toBe(1);
  expect(await watch.state()).toBe('answers, but: has lost data');
  expect(await watch.works()).toBe(true);
  expect(watch.alerts()).toEqual([
    { since: expect.any(Number), text: expect.stringMatching(/^Redis lost its data/) },
  ]);
  await until([]);
  expect(told).toEqual([expect.stringMatching(/^Redis lost its data/)]);
  const before = await written();
  await waitUntil('another write', async () => (await written()) !== before, {
    deadlineMs: 5_000,
  });
  await admin.set(serverProbeKey, before);
  await until(['lost-data']);
  expect(told.at(-1)).toMatch(/^Redis went back to an earlier state/);
  await until([]);
  // Another server leads now, or somebody writes what they like.
  await admin.set(serverProbeKey, 'another 7');
  await waitUntil('written over', async () => (await written()) !== 'another 7', {
    deadlineMs: 5_000,
  });
  expect(watch.kinds()).toEqual([]);
  expect(losses).toBe(2);
});

test('what stands still is slow at first and silent then, and is never asked twice at once', async () => {
  await written();
  redis.signal('SIGSTOP');
  await until(['slow']);
  await until(['silent']);
  expect(await watch.state()).toBe('does not answer (silent)');
  expect(await watch.works()).toBe(false);
  const { since } = watch.alerts()[0] ?? {};
  await waitUntil('it is told', () => told.length > 0, { deadlineMs: 5_000 });
  expect(told).toEqual([expect.stringMatching(/^Redis does not answer .*: it stands still/)]);
  expect(watch.alerts()[0]?.since).toBe(since);
  redis.signal('SIGCONT');
  await until([]);
  expect(await watch.state()).toBe('answers');
  expect(told.at(-1)).toMatch(/^Redis works again \(it was: silent\)/);
  expect(losses).toBe(0);
});

test('several faults stand beside each other, and one that is short is told to nobody', async () => {
  await admin.config('SET', 'maxmemory-policy', 'allkeys-lru');
  await admin.replicaof('127.0.0.1', 1);
  await until(['read-only', 'evicts']);
  expect(await watch.state()).toBe('answers, but: read-only replica, may throw jobs away');
  expect(await watch.works()).toBe(false);
  await admin.replicaof('NO', 'ONE');
  await admin.config('SET', 'maxmemory-policy', 'noeviction');
  await until([]);
  expect(told).toEqual([]);
});

test('a key of another type where it writes is written over', async () => {
  await waitUntil(
    'written over',
    async () => {
      await admin.del(serverProbeKey);
      await admin.rpush(serverProbeKey, 'x').catch(() => 0);
      return waitUntil('a text', async () => (await admin.type(serverProbeKey)) === 'string', {
        deadlineMs: 2_000,
      });
    },
    { deadlineMs: 5_000 },
  );
  expect(watch.kinds().filter((kind) => kind !== 'lost-data')).toEqual([]);
});
