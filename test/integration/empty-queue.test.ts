import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Redis } from 'ioredis';
import { emptyQueue } from '../../src/jobs/queue-damage.ts';
import { startAttacker } from './attacks/attacker.ts';
import { startTestRedis } from './redis.ts';
import type { TestRedis } from './redis.ts';

let server: TestRedis;
let redis: Redis;
beforeAll(async () => {
  server = await startTestRedis({ own: true });
  redis = server.client();
});
afterAll(() => server.stop());

test('what somebody puts into a queue while it is emptied leaves nothing behind either', async () => {
  const attacker = startAttacker(redis);
  await attacker.flood('host-h1', '{}', 3_000);
  let more = 3;
  const whileItIsFlooded: Parameters<typeof emptyQueue>[0] = {
    eval: redis.eval.bind(redis),
    del: async (...keys: Parameters<Redis['del']>) => {
      if (more > 0) {
        more -= 1;
        const ids = Array.from({ length: 1_500 }, (_, index) => `late_${more}_${index}`);
        for (const id of ids) await redis.hset(attacker.key('host-h1', id), { data: '{}' });
        await redis.lpush(attacker.key('host-h1', 'wait'), ...ids);
      }
      return redis.del(...keys);
    },
  } as Parameters<typeof emptyQueue>[0];
  await emptyQueue(whileItIsFlooded, 'host-h1');
  expect(await redis.keys('*')).toEqual([]);
});
