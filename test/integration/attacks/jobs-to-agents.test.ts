import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { controlRecordKey } from '../../../src/jobs/queue-names.ts';
import type { Envelope } from '../../../src/jobs/envelope.ts';
import { newSigningKey } from '../../../src/jobs/signing-key.ts';
import { waitUntil } from '../../bed/wait-until.ts';
import { altered, forged, jobsOf, renamed, startAttacker } from './attacker.ts';
import type { Attacker } from './attacker.ts';
import { startFleet } from './fleet.ts';
import { wait } from '../fleet/machines.ts';
import type { AttackedFleet } from './fleet.ts';

let fleet: AttackedFleet;
let attacker: Attacker;
/** What the server once ordered of h1 and of h2, as it lay in Redis. */
let job: Envelope;
let jobOfOther: Envelope;
let report: Envelope;
const stranger = newSigningKey();

beforeAll(async () => {
  fleet = await startFleet({ h1: ['web-1', 'web-2'], h2: ['web-3'] });
  attacker = startAttacker(fleet.redis.client());
  await fleet.upgrade();
  await fleet.restarted(1);
  const batch = async (hostId: string): Promise<Envelope> => {
    const found = (await attacker.recorded(jobsOf(hostId))).find(
      ({ kind }) => kind === 'restart-batch',
    );
    if (found === undefined) throw new Error(`no job for ${hostId} was recorded`);
    return found;
  };
  [job, jobOfOther] = [await batch('h1'), await batch('h2')];
  const [told] = (await attacker.recorded('fleet')).filter(({ from }) => from === 'h1');
  if (told === undefined) throw new Error('no report was recorded');
  report = told;
}, 120_000);
afterAll(() => fleet.stop());

const junk = (): number => fleet.machine('h1').agent.status().junk;
/** What the agent's own audit trail, as the server has it, says of junk. */
const junkRecords = async (): Promise<Record<string, unknown>[]> =>
  (await fleet.audit())
    .filter(({ chain, record }) => chain === 'h1' && record['action'] === 'junk-dropped')
    .map(({ record }) => record['details'] as Record<string, unknown>);
const dropped = async (): Promise<string> => JSON.stringify(await junkRecords());
/** All that was counted is in the trail, so that what comes next begins a record of its own. */
const allTold = (): Promise<boolean> =>
  waitUntil(
    'all junk is told',
    async () => {
      const counts = (await junkRecords()).flatMap((details) =>
        Object.values(details).filter((value) => typeof value === 'number'),
      );
      return counts.reduce((sum, count) => sum + count, 0) === junk();
    },
    wait,
  );

/** A restart of each container by hand, as the server would order it. */
const orders = (): Envelope['payload'] => ({
  ...job.payload,
  grants: (job.payload['grants'] as object[]).map((grant) => ({
    ...grant,
    ...{ grantId: randomUUID(), byHand: true, beginBefore: 1e12, deadline: 1e12 },
    expect: { kind: 'instance', instance: fleet.machine('h1').fake.instance('web-1') },
  })),
});
const fresh = (): Envelope => ({ ...renamed(job), payload: orders(), expiresAt: 1e12 });

/** What comes to h1's agent, and how it counts that; the text is part of what its audit record says. */
const attacks: [string, () => unknown, string][] = [
  ['signed by nobody we know', () => forged(fresh(), stranger), 'unknown-key'],
  [
    "signed by a stranger in the name of the server's key",
    () => forged(fresh(), stranger, fleet.serverKeyId),
    'unsigned',
  ],
  [
    "signed by another host's key, as the server",
    () => forged(fresh(), fleet.machine('h2').key),
    'unknown-key',
  ],
  [
    "signed by another host's key, in its own name",
    () => forged(altered(fresh(), { from: 'h2' }), fleet.machine('h2').key),
    'h2 has no valid key',
  ],
  [
    'signed by its own key, as the server',
    () => forged(fresh(), fleet.machine('h1').key),
    'unknown-key',
  ],
  ['altered: other grants', () => altered(job, { payload: orders() }), 'unsigned'],
  ['altered: another id', () => renamed(job), 'unsigned'],
  ['altered: a later expiry', () => altered(job, { expiresAt: 1e12 }), 'unsigned'],
  ['altered: another leader', () => altered(job, { leader: [9, 9] }), 'unsigned'],
  [
    'altered: without a leader',
    () => {
      const rest = { ...job };
      delete rest.leader;
      return rest;
    },
    'unsigned',
  ],
  ['altered: a field that is not looked at', () => ({ ...job, note: 1 }), 'malformed'],
  [
    'altered: the signature spelt otherwise',
    () => altered(job, { signature: `${job.signature.slice(0, 86)}A=` }),
    'unsigned',
  ],
  ["misdirected: another host's job", () => jobOfOther, 'wrong-recipient'],
  ['misdirected: a report of its own', () => report, 'wrong-recipient'],
  [
    'misdirected: its own control record, as a job',
    async () => JSON.parse(await attacker.controlRecord('h1')) as unknown,
    'is no job',
  ],
  [
    'longer than any job',
    () => altered(fresh(), { payload: { x: 'x'.repeat(300_000) } }),
    'longer than',
  ],
  ['of twenty megabytes', () => 'x'.repeat(20_000_000), 'longer than'],
  [
    'of a hundred thousand levels',
    () => `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
    'deeper than',
  ],
  ['that is no JSON', () => '{"version":1', 'no JSON'],
  ['that is nothing', () => '', 'malformed'],
  ['with keys of the language', () => '{"__proto__":{"kind":"x"},"constructor":1}', 'malformed'],
];

describe('a job that the server did not order is not run, counted, and told', () => {
  test.each(attacks)('%s', async (_, make, why) => {
    await allTold();
    const before = { junk: junk(), events: fleet.machine('h1').fake.events.length };
    await attacker.put(jobsOf('h1'), await make());
    await waitUntil('it was counted', () => junk() === before.junk + 1, wait);
    await waitUntil('it was told', async () => (await dropped()).includes(why), wait);
    expect(fleet.machine('h1').fake.events).toHaveLength(before.events);
    expect((await fleet.status()).grants).toEqual([]);
  });

  test.each<[string, Record<string, string>]>([
    ['options that are no JSON', { opts: '{' }],
    ['options to try for ever', { opts: '{"attempts":1000000,"backoff":1}' }],
    ['a key of a repeated job', { rjk: 'again', opts: '{"repeat":{"every":1}}' }],
    ['a parent that is no JSON', { parent: '{', parentKey: 'x' }],
    ['progress that is no JSON', { progress: 'half' }],
    ['a failure of its own', { defa: 'failed already' }],
    ['numbers that are none', { timestamp: 'x', ats: '1', stc: 'y', priority: 'z' }],
  ])('with %s beside its data', async (_, fields) => {
    const before = junk();
    await attacker.put(jobsOf('h1'), forged(fresh(), stranger), fields);
    await waitUntil('it was counted', () => junk() === before + 1, wait);
    const left = await attacker.redis.zcard(attacker.key(jobsOf('h1'), 'repeat'));
    expect({ left, junk: junk() }).toEqual({ left: 0, junk: before + 1 });
  });

  test('and `status` of the server says so, with what to do', async () => {
    const alerts = (await fleet.status()).alerts.map(({ text }) => text).join('\n');
    expect(alerts).toMatch(/\d+ messages to h1 were refused, as nobody who may has written them/);
    expect(alerts).toContain('groundswell audit list');
  });
});

describe('what the server did order', () => {
  test('replayed and doubled a thousand times, is not done again, and leaves no record each time', async () => {
    const events = fleet.machine('h1').fake.events.length;
    const records = (await fleet.audit()).length;
    const all = (await attacker.recorded(jobsOf('h1'))).filter(({ from }) => from === '@server');
    for (let turn = 0; turn < 1_000; turn += all.length)
      for (const one of all) await attacker.put(jobsOf('h1'), one);
    await waitUntil(
      'all were taken',
      async () => (await attacker.redis.llen(attacker.key(jobsOf('h1'), 'wait'))) === 0,
      wait,
    );
    await waitUntil(
      'what they said was heard',
      () => fleet.machine('h1').agent.status().unacknowledgedReports === 0,
      wait,
    );
    expect(fleet.machine('h1').fake.events).toHaveLength(events);
    expect((await fleet.status()).grants).toEqual([]);
    const left = (await fleet.audit()).slice(records);
    const sums = left.filter(({ record }) => record['action'] === 'junk-dropped');
    // Old ones may be refused as of before, once each.
    expect(left.length - sums.length).toBeLessThan(20);
    // What other tests put there in the server's name is summed up by time, however long a thousand take.
    expect(sums.length).toBeLessThan(100);
  }, 120_000);

  test('withheld, and brought when it is over, is not done; each container is restarted once', async () => {
    const queue = jobsOf('h1');
    const user = (state: string): Promise<unknown> =>
      attacker.redis.call('ACL', 'SETUSER', 'h1', state);
    const taken = async (): Promise<boolean> =>
      (await attacker.redis.llen(attacker.key(queue, 'wait'))) === 0;
    await fleet.act({ action: 'pause', level: { level: 'fleet' }, reason: 'no' });
    await fleet.upgrade();
    await waitUntil(
      'a wave is there',
      async () => (await fleet.status()).waves.some(({ state }) => /paused|open/.test(state)),
      wait,
    );
    // The agent is cut off, so that the job comes after it.
    await user('off');
    await attacker.redis.call('CLIENT', 'KILL', 'USER', 'h1');
    await fleet.act({ action: 'resume', level: { level: 'fleet' } });
    const withheld: string[] = [];
    await waitUntil(
      'a job is there',
      async () => {
        for (const id of await attacker.redis.lrange(attacker.key(queue, 'wait'), 0, -1))
          withheld.push((await attacker.redis.hget(attacker.key(queue, id), 'data')) ?? '');
        return withheld.length > 0;
      },
      wait,
    );
    await attacker.redis.del(attacker.key(queue, 'wait'));
    await user('on');
    await fleet.restarted(2);
    const events = fleet.machine('h1').fake.events.length;
    for (const data of [...withheld, ...withheld]) await attacker.put(queue, data);
    await waitUntil('it was taken', taken, wait);
    await waitUntil(
      'it was answered',
      () => fleet.machine('h1').agent.status().unacknowledgedReports === 0,
      wait,
    );
    expect(fleet.machine('h1').fake.events).toHaveLength(events);
    expect(fleet.mostDown()).toBe(1);
  }, 250_000);
});

describe('a control record', () => {
  /** While `attack` is done over and over nothing of a wave begins that is paused; then all goes on. */
  const underAttack = async (attack: () => Promise<unknown>, times: number): Promise<void> => {
    await fleet.act({ action: 'pause', level: { level: 'fleet' }, reason: 'no' });
    const before = fleet.stops().length;
    await fleet.upgrade();
    const end = performance.now() + 3_000;
    while (performance.now() < end) {
      await attack();
      // Long enough for the server to put its own there, and for the agent to read that.
      await sleep(400);
    }
    expect(fleet.stops()).toHaveLength(before);
    await fleet.act({ action: 'resume', level: { level: 'fleet' } });
    await fleet.restarted(times);
    expect(fleet.mostDown()).toBe(1);
  };
  const plant = (text: string): Promise<unknown> =>
    attacker.redis.set(controlRecordKey('h1'), text);

  test('rolled back to before a pause lifts no pause, and is told', async () => {
    const old = await attacker.controlRecord('h1');
    await underAttack(() => plant(old), 3);
    await waitUntil('it is told', async () => (await dropped()).includes('rolled-back'), wait);
  }, 200_000);

  test.each<[string, () => Promise<string>, string]>([
    ['of another host', () => attacker.controlRecord('h2'), 'wrong-recipient'],
    [
      'that was altered',
      async () => {
        const record = JSON.parse(await attacker.controlRecord('h1')) as Envelope;
        return JSON.stringify(altered(record, { payload: { ...record.payload, pauses: [] } }));
      },
      'unsigned',
    ],
    ['that is a job', () => Promise.resolve(JSON.stringify(job)), 'want control-record'],
    ['that is no JSON', () => Promise.resolve('{'), 'no JSON'],
    ['that is long', () => Promise.resolve('x'.repeat(5_000_000)), 'longer than'],
  ])(
    '%s counts for nothing, and is told',
    async (_, make, why) => {
      const text = await make();
      await plant(text);
      await waitUntil(
        'it is told',
        async () => {
          await plant(text);
          return (await dropped()).includes(why);
        },
        wait,
      );
      await waitUntil(
        'the true one is back',
        () => fleet.machine('h1').agent.status().recordDenies === null,
        wait,
      );
    },
    90_000,
  );

  test('whose key is a list counts for nothing, and is written anew', async () => {
    // At once: the server may write the record anew at any moment.
    const key = controlRecordKey('h1');
    await attacker.redis.multi().del(key).rpush(key, 'x').exec();
    await waitUntil(
      'it is a record again',
      async () => (await attacker.redis.type(controlRecordKey('h1'))) === 'string',
      { ...wait, deadlineMs: 90_000 },
    );
  }, 100_000);
});
