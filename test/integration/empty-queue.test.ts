import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { emptyQueue } from '../../src/jobs/queue-damage.ts';
import { startAttacker } from './attacks/attacker.ts';
import type { Attacker } from './attacks/attacker.ts';
import { startTestRedis } from './redis.ts';
import type { TestRedis } from './redis.ts';

type Emptying = Parameters<typeof emptyQueue>[0];

let server: TestRedis;
let redis: Redis;
let attacker: Attacker;
beforeAll(async () => {
  server = await startTestRedis({ own: true });
  redis = server.client();
  attacker = startAttacker(redis);
});
afterAll(() => server.stop());

/** Redis itself, with something else done after each script that was run. */
const thatIs = (afterEach: (times: number) => Promise<void>): Emptying => {
  let times = 0;
  return {
    del: redis.del.bind(redis),
    eval: async (...args: Parameters<Redis['eval']>) => {
      const answer: unknown = await redis.eval(...args);
      times += 1;
      await afterEach(times);
      return answer;
    },
  } as Emptying;
};

test('what somebody puts into a queue while it is emptied leaves nothing behind either', async () => {
  await attacker.flood('host-h1', '{}', 3_000);
  const flooded = thatIs(async (times) => {
    if (times > 3) return;
    const ids = Array.from({ length: 1_500 }, (_, index) => `late_${times}_${index}`);
    for (const id of ids) await redis.hset(attacker.key('host-h1', id), { data: '{}' });
    await redis.lpush(attacker.key('host-h1', 'wait'), ...ids);
  });
  await emptyQueue(flooded, 'host-h1');
  expect(await redis.keys('*')).toEqual([]);
});

test('an emptying that was interrupted leaves nothing that the next one does not find', async () => {
  await attacker.flood('host-h1', '{}', 3_000);
  const lost = thatIs(() => Promise.reject(new Error('Connection is closed.')));
  await expect(emptyQueue(lost, 'host-h1')).rejects.toThrow('closed');
  await emptyQueue(redis, 'host-h1');
  expect(await redis.keys('*')).toEqual([]);
});

test('a list that is none goes as it is, and the others all the same', async () => {
  await attacker.flood('host-h1', '{}', 10);
  await redis.set(attacker.key('host-h1', 'active'), 'x');
  await emptyQueue(redis, 'host-h1');
  expect(await redis.keys('*')).toEqual([]);
});
