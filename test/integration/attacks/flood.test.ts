import { afterAll, beforeAll, expect, test } from '@jest/globals';
import process from 'node:process';
import { heapInUse } from '../../bed/heap-in-use.ts';
import { waitUntil } from '../../bed/wait-until.ts';
import { jobsOf, startAttacker } from './attacker.ts';
import type { Attacker } from './attacker.ts';
import { startFleet } from './fleet.ts';
import { wait } from '../fleet/machines.ts';
import type { AttackedFleet } from './fleet.ts';

const junkJobs = process.env['GROUNDSWELL_LONG'] === '1' ? 1_000_000 : 100_000;
const limitMs = 60_000 + junkJobs * 3;

let fleet: AttackedFleet;
let attacker: Attacker;
beforeAll(async () => {
  fleet = await startFleet({ h1: ['web-1'], h2: ['web-2'] });
  attacker = startAttacker(fleet.redis.client());
}, 120_000);
afterAll(() => fleet.stop());

test.each(['fleet', jobsOf('h1')])(
  'junk by the hundred thousand in %s: a bounded number of records, flat memory, and all goes on',
  async (queue) => {
    const records = (await fleet.audit()).length;
    const times = fleet.stops().length / 2;
    const heap = heapInUse();
    await attacker.flood(queue, '{"version":1,"kind":"restart-batch"}', junkJobs);
    await waitUntil(
      'the junk is gone',
      async () => (await attacker.redis.llen(attacker.key(queue, 'wait'))) === 0,
      { deadlineMs: limitMs, everyMs: 100 },
    );
    await fleet.upgrade();
    await fleet.restarted(times + 1);
    expect(fleet.mostDown()).toBe(1);
    // What an agent refused comes with the copies of its audit log, not at once.
    const alert = queue === 'fleet' ? /to the fleet were refused/ : /to h1 were refused/;
    await waitUntil(
      'status tells that messages were refused',
      async () => (await fleet.status()).alerts.some(({ text }) => alert.test(text)),
      wait,
    );
    const added = (await fleet.audit())
      .slice(records)
      .filter(({ record }) => /junk|refused/.test(String(record['action'])));
    // One of each minute of the server, one of each half second of an agent with the times of a test.
    expect(added.length).toBeLessThan(400);
    expect(heapInUse() - heap).toBeLessThan(50_000_000);
    // Its jobs are gone with it: Redis is not left full of them.
    await waitUntil(
      'Redis holds little',
      async () => (await attacker.redis.dbsize()) < junkJobs / 2,
      wait,
    );
  },
  limitMs + 200_000,
);
