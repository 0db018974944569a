import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
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
/** A whole observation of h1, and a job for it, as they lay in Redis. */
let told: Envelope;
let job: Envelope;
/** The grant that h1 holds all the while: its container is being stopped. */
let held: { id: string; waveId: string; container: string };
let release: () => void;
const stranger = newSigningKey();

beforeAll(async () => {
  fleet = await startFleet({ h1: ['web-1', 'web-2'], evil: [] });
  attacker = startAttacker(fleet.redis.client());
  await fleet.upgrade();
  await fleet.restarted(1);
  const one = async (queue: string, from: string, kind: string): Promise<Envelope> => {
    const found = (await attacker.recorded(queue)).find(
      (envelope) =>
        envelope.from === from &&
        envelope.kind === kind &&
        (kind !== 'host-observed' ||
          (envelope.payload['report'] as { containers: object[] }).containers.length > 0),
    );
    if (found === undefined) throw new Error(`no ${kind} was recorded`);
    return found;
  };
  told = await one('fleet', 'h1', 'host-observed');
  job = await one(jobsOf('h1'), '@server', 'restart-batch');
  const over = new Promise<void>((resolve) => {
    release = resolve;
  });
  fleet.machine('h1').fake.duringStop = () => over;
  await fleet.upgrade();
  held = await waitUntil(
    'h1 holds a grant in the middle of a stop',
    async () => {
      const grant = (await fleet.status()).grants.find(
        ({ host, step }) => host === 'h1' && step === 'stopping',
      );
      return grant === undefined
        ? null
        : { id: grant.id, waveId: grant.waveId, container: grant.container ?? '' };
    },
    { ...wait, deadlineMs: 100_000 },
  );
}, 200_000);
afterAll(async () => {
  release();
  await fleet.stop();
});

/** What nobody said: that the stop that is under way is over, and well; and a container that does not exist. */
const ended = (): Envelope['payload'] => ({
  ...{ seq: 1_000_000, echo: [9_999_999_999, 9_999_999_999, 1], acked: 999_999 },
  report: {
    ...{ kind: 'restart-finished', grantId: held.id, outcome: 'done', verification: 'verified' },
    ...{ reason: '', steps: [], container: null },
  },
});
const invented = (): Envelope['payload'] => {
  const report = told.payload['report'] as { containers: object[] };
  return {
    ...told.payload,
    report: {
      ...report,
      containers: report.containers.map((one) => ({ ...one, name: 'invented' })),
    },
  };
};
const finished = (): Envelope => ({
  ...renamed(told),
  ...{ kind: 'restart-finished', payload: ended() },
});

/** How often something was refused, and why, as the server's own audit trail has it. */
const refusals = async (): Promise<{ total: number; reasons: string }> => {
  const records = (await fleet.audit())
    .map(({ record }) => record)
    .filter(({ action }) => action === 'messages-refused')
    .map(({ details }) => details as { total: number; reasons: string[]; reason: string });
  return {
    total: records.reduce((sum, { total }) => sum + total, 0),
    reasons: records.map(({ reason }) => reason).join('\n'),
  };
};
const alerts = async (): Promise<string> =>
  (await fleet.status()).alerts.map(({ text }) => text).join('\n');
const refusedNow = async (): Promise<number> =>
  Number(/(\d+) messages to the fleet were refused/.exec(await alerts())?.[1] ?? 0);

/** The state that no attacker may move. */
const state = async (): Promise<unknown> => {
  const { grants, hosts, waves, pauses } = await fleet.status();
  return {
    grants: grants.map(({ id, step, host, failed }) => ({ id, step, host, failed })),
    hosts: hosts.map(({ id, state }) => ({ id, state })),
    waves: waves.map(({ id, state }) => ({ id, state })),
    pauses,
    stops: fleet.stops(),
  };
};

const attacks: [string, () => unknown][] = [
  ['signed by nobody we know', () => forged(finished(), stranger)],
  [
    "signed by a stranger in the name of the host's key",
    () => forged(finished(), stranger, fleet.machine('h1').key.id),
  ],
  ["signed by another host's key", () => forged(finished(), fleet.machine('evil').key)],
  [
    "signed by another host's key in the name of the host's",
    () => forged(finished(), fleet.machine('evil').key, fleet.machine('h1').key.id),
  ],
  [
    'of a host that nobody enrolled',
    () => forged(altered(finished(), { from: 'nobody' }), stranger),
  ],
  ['of the server to itself', () => forged(altered(finished(), { from: '@server' }), stranger)],
  ['altered: the end of a grant', () => altered(told, { payload: ended() })],
  ['altered: a container that is not there', () => altered(told, { payload: invented() })],
  ['altered: another host', () => altered(told, { from: 'evil' })],
  ['altered: another incarnation', () => altered(told, { incarnation: randomUUID() })],
  ['altered: another kind', () => altered(told, { kind: 'job-refused' })],
  ['misdirected: a job for a host', () => job],
  [
    "misdirected: a host's control record",
    async () => JSON.parse(await attacker.controlRecord('h1')) as unknown,
  ],
  [
    'rightly signed, of a kind that hosts do not send',
    () => forged(altered(finished(), { kind: 'restart-batch' }), fleet.machine('evil').key),
  ],
  ['longer than any report', () => altered(told, { payload: { x: 'x'.repeat(5_000_000) } })],
  ['of a hundred thousand levels', () => `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
  ['that is no JSON', () => '{"version":1'],
  ['with a terminal’s escapes', () => '{"\\u001b[2J":1}'],
];

describe('an event that its host did not send changes nothing, and is counted', () => {
  test.each(attacks)('%s', async (_, make) => {
    const [before, counted] = [await state(), await refusedNow()];
    await attacker.put('fleet', await make());
    await waitUntil('it was counted', async () => (await refusedNow()) > counted, wait);
    expect(await refusedNow()).toBe(counted + 1);
    expect(await state()).toEqual(before);
    const containers = JSON.stringify(await fleet.status());
    expect(containers).not.toContain('invented');
  });

  test('another host says, rightly signed, that the grant is over: it is not its to end', async () => {
    const before = await state();
    const { agent, key } = fleet.machine('evil');
    const { number } = agent.status().record ?? { number: [0, 0, 0] };
    await agent.stop();
    const last = Math.max(
      ...(await attacker.recorded('fleet'))
        .filter(({ from }) => from === 'evil')
        .map(({ payload }) => Number(payload['seq'])),
    );
    const { incarnation } = agent.status();
    for (const seq of [last + 1, last + 2, last + 3])
      await attacker.put(
        'fleet',
        forged(
          {
            ...finished(),
            ...{ id: `evil_${randomUUID()}`, from: 'evil', incarnation },
            payload: { ...ended(), seq, echo: number, acked: last },
          },
          key,
        ),
      );
    await waitUntil(
      'they were taken',
      async () => (await attacker.redis.llen(attacker.key('fleet', 'wait'))) === 0,
      wait,
    );
    const { grants } = (await state()) as { grants: unknown };
    expect(grants).toEqual((before as { grants: unknown }).grants);
  });

  test('replayed, doubled and in reverse order, what hosts did send changes nothing', async () => {
    const before = (await state()) as { grants: unknown; waves: unknown };
    const all = (await attacker.recorded('fleet')).reverse();
    expect(all.length).toBeGreaterThan(50);
    for (const envelope of [...all, ...all]) await attacker.put('fleet', envelope);
    await waitUntil(
      'they were taken',
      async () => (await attacker.redis.llen(attacker.key('fleet', 'wait'))) === 0,
      wait,
    );
    const { grants, waves } = (await state()) as { grants: unknown; waves: unknown };
    expect({ grants, waves }).toEqual({ grants: before.grants, waves: before.waves });
  });

  test('the audit trail says who and why, in a record a minute', async () => {
    const { total, reasons } = await refusals();
    expect(total).toBeGreaterThan(0);
    expect(reasons).toMatch(/h1 has no valid key [0-9a-f]{16} here/);
    const records = (await fleet.audit()).filter(
      ({ record }) => record['action'] === 'messages-refused',
    );
    expect(records.length).toBeLessThanOrEqual(4);
    expect(await alerts()).toMatch(/nobody who may has written them .*groundswell audit list/);
  });
});

test('the attack over, what was under way ends well, within the budget', async () => {
  release();
  await waitUntil(
    'h1 is done',
    async () =>
      fleet.stops().filter((id) => id.startsWith('h1/')).length === 4 &&
      (await fleet.status()).grants.every(({ host }) => host !== 'h1'),
    { ...wait, deadlineMs: 100_000 },
  );
  expect(fleet.mostDown()).toBe(1);
}, 120_000);
