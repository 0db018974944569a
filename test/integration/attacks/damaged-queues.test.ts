import { afterAll, beforeAll, expect, test } from '@jest/globals';
import process from 'node:process';
import { waitUntil } from '../../bed/wait-until.ts';
import { jobsOf, startAttacker } from './attacker.ts';
import type { Attacker } from './attacker.ts';
import { startFleet } from './fleet.ts';
import { wait } from '../fleet/machines.ts';
import type { AttackedFleet } from './fleet.ts';

const parts = [
  ...['wait', 'active', 'paused', 'delayed', 'prioritized', 'completed', 'failed', 'marker'],
  ...['stalled', 'meta', 'id', 'events'],
];

/** What an attacker leaves in a queue's keys, each of which stops it for as long as nobody mends it. */
const damages: Record<string, (attacker: Attacker, queue: string) => Promise<unknown>> = {
  'each key a string': async ({ redis, key }, queue) => {
    for (const part of parts) await redis.set(key(queue, part), 'x');
  },
  'each key a list': async ({ redis, key }, queue) => {
    for (const part of parts.filter((one) => one !== 'wait')) {
      // At once: in between somebody could make it anew.
      await redis.multi().del(key(queue, part)).rpush(key(queue, part), 'x').exec();
    }
  },
  'each key a set': async ({ redis, key }, queue) => {
    for (const part of parts) {
      await redis.multi().del(key(queue, part)).sadd(key(queue, part), 'x').exec();
    }
  },
  'paused, one at a time, and none of them': ({ redis, key }, queue) =>
    redis.hset(key(queue, 'meta'), { paused: 1, concurrency: 0, max: 1, duration: 1e12 }),
  'a rate that is used up': async ({ redis, key }, queue) => {
    await redis.hset(key(queue, 'meta'), { max: 1, duration: 1e12 });
    await redis.set(key(queue, 'limiter'), 5, 'EX', 100_000);
  },
  'a counter that is none': ({ redis, key }, queue) => redis.set(key(queue, 'id'), 'x'),
  'a counter at its end': ({ redis, key }, queue) =>
    redis.set(key(queue, 'id'), '9223372036854775807'),
  'a stream at its end': async ({ redis, key }, queue) => {
    const [events, last] = [key(queue, 'events'), '18446744073709551615'];
    await redis.multi().del(events).xadd(events, `${last}-${last}`, 'event', 'x').exec();
  },
  'jobs that are no hashes': async ({ redis, key }, queue) => {
    const ids = Array.from({ length: 1_000 }, (_, index) => `none_${index}`);
    await redis.mset(Object.fromEntries(ids.map((id) => [key(queue, id), 'x'])));
    await redis.lpush(key(queue, 'wait'), ...ids);
    await redis.zadd(key(queue, 'marker'), 0, '0');
  },
  'no stalled job looked for, ever': ({ redis, key }, queue) =>
    redis.set(key(queue, 'stalled-check'), 'x'),
  'its scripts forgotten': ({ redis }) => redis.call('SCRIPT', 'FLUSH'),
};

const isLong = process.env['GROUNDSWELL_LONG'] === '1';

/** One host for each damage, so that all are mended side by side; `sound` is left alone. */
const names = Object.keys(damages);
const hostOf = (name: string): string => `d${names.indexOf(name)}`;

let fleet: AttackedFleet;
let attacker: Attacker;
beforeAll(async () => {
  fleet = await startFleet(
    {
      sound: ['web-0'],
      ...Object.fromEntries(names.map((name, index) => [hostOf(name), [`web-${index + 1}`]])),
    },
    names.length,
  );
  attacker = startAttacker(fleet.redis.client());
}, 120_000);
afterAll(() => fleet.stop());

test('a queue of a host that an attacker has broken holds up no other, and works again when it has gone', async () => {
  for (const name of names) await damages[name]?.(attacker, jobsOf(hostOf(name)));
  await fleet.upgrade();
  await fleet.restarted(1);
  const { alerts } = await fleet.status();
  expect(alerts.map(({ text }) => text).join('\n')).toMatch(/WRONGTYPE/);
}, 280_000);

/** The queue of reports is one, so that its damages come one after the other: each alone in the long form. */
const groups = isLong
  ? names.map((name) => [name])
  : [
      ['each key a set'],
      ['a counter at its end', 'a stream at its end', 'no stalled job looked for, ever'],
      ['jobs that are no hashes', 'its scripts forgotten'],
    ];

test.each(groups.map((group) => [group.join('; '), group] as const))(
  'the queue of reports works again after: %s',
  async (_, group) => {
    for (const name of group) await damages[name]?.(attacker, 'fleet');
    const { fake } = fleet.machine('sound');
    const saysUnhealthy = async (): Promise<boolean> =>
      (await fleet.status()).services.some(({ unavailable }) =>
        unavailable.some(({ container }) => container === 'sound/web-0'),
      );
    // What a host sees comes to the server.
    fake.healthy = false;
    await waitUntil('a host is heard', saysUnhealthy, wait);
    fake.healthy = true;
    await waitUntil('it is heard again', async () => !(await saysUnhealthy()), wait);
  },
  130_000,
);
