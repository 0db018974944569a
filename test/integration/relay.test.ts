import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { createAgentLink } from '../../src/jobs/agent-link.ts';
import type { AgentLink } from '../../src/jobs/agent-link.ts';
import type { Leader } from '../../src/core/messages.ts';
import { connectSender } from '../../src/jobs/connections.ts';
import { Envelope, serverParty, signEnvelope } from '../../src/jobs/envelope.ts';
import { createQueueCache } from '../../src/jobs/queue-cache.ts';
import type { QueueCache } from '../../src/jobs/queue-cache.ts';
import { countQueue } from '../../src/jobs/queue-counts.ts';
import { hostQueue, jobKey, queuePrefix } from '../../src/jobs/queue-names.ts';
import { newSigningKey } from '../../src/jobs/signing-key.ts';
import type { OutboxRow } from '../../src/store/outbox.ts';
import { createRelay } from '../../src/workers/control/relay.ts';
import type { RelayPass } from '../../src/workers/control/relay.ts';
import { signalProcess } from '../bed/processes.ts';
import { waitUntil } from '../bed/wait-until.ts';
import { startTestRedis } from './redis.ts';
import type { TestRedis } from './redis.ts';

let server: TestRedis;
let client: Redis;
beforeAll(async () => {
  server = await startTestRedis({ own: true });
  client = server.client();
});
afterAll(() => server.stop());

const key = newSigningKey();
let redis: Redis;
let queues: QueueCache;
let rows: OutboxRow[];
let paused: Set<string>;
let mono: number;
let damages: string[];
let signing = key;
let leader: Leader;
let mayPut: (row: OutboxRow) => boolean;
let relay: { pass: () => Promise<RelayPass> };
const links: AgentLink[] = [];

const rowFor = (hostId: string): OutboxRow => {
  const jobId = `${hostId}_${randomUUID()}`;
  const envelope = signEnvelope(
    {
      version: 1,
      kind: 'observe-host',
      id: jobId,
      from: serverParty,
      to: hostId,
      issuedAt: 0,
      incarnation: 'i',
      expiresAt: 30_000,
      payload: {},
    },
    key,
  );
  return {
    jobId,
    hostId,
    kind: 'observe-host',
    envelope: JSON.stringify(envelope),
    createdAt: 0,
    expiresAt: 30_000,
  };
};

/** An agent that completes what it gets, or does with it what `onJob` says. */
const agent = (hostId: string, onJob?: () => Promise<void>) => {
  const seen: Envelope[] = [];
  const link = createAgentLink({
    address: server.address,
    hostId,
    onJob: async (data) => {
      seen.push(Envelope.parse(data));
      await onJob?.();
    },
    onProblem: () => undefined,
    onDamage: () => undefined,
    nowMs: () => performance.now(),
  });
  links.push(link);
  return { seen, link };
};

const seenBy = (seen: Envelope[], count: number): Promise<true> =>
  waitUntil(`${count} jobs`, () => seen.length >= count, { deadlineMs: 20_000 });

const over = (row: OutboxRow): Promise<true> =>
  waitUntil(
    'job over',
    async () =>
      (await client.hexists(jobKey(hostQueue(row.hostId), row.jobId), 'finishedOn')) === 1,
    { deadlineMs: 10_000 },
  );

beforeEach(async () => {
  await client.flushall();
  redis = connectSender(server.address, () => undefined);
  await waitUntil('connection', () => redis.status === 'ready', { deadlineMs: 10_000 });
  queues = createQueueCache(redis, { capacity: 3, onError: () => undefined });
  rows = [rowFor('h1'), rowFor('h1'), rowFor('h2')];
  paused = new Set();
  mono = 0;
  damages = [];
  signing = key;
  leader = [1, 1];
  mayPut = () => true;
  relay = createRelay({
    redis,
    queues,
    openRows: () => Promise.resolve(rows),
    mayPut: (row) => mayPut(row),
    leader: () => leader,
    signingKey: () => signing,
    pausedHosts: () => paused,
    monotonicMs: () => mono,
    onDamage: (queue, reason) => damages.push(`${queue}: ${reason}`),
  });
});
afterEach(async () => {
  await Promise.all(links.splice(0).map((link) => link.close(1_000)));
  await queues.close();
  redis.disconnect();
});

const passed = (part: Partial<Extract<RelayPass, { kind: 'passed' }>>) => ({
  kind: 'passed',
  open: 3,
  put: 0,
  putAgain: 0,
  refused: [],
  ...part,
});

describe('the relay', () => {
  test('puts each open row in once, and again after Redis lost everything', async () => {
    expect(await relay.pass()).toEqual(passed({ put: 3 }));
    expect(await relay.pass()).toEqual(passed({}));
    const { seen } = agent('h1');
    await seenBy(seen, 2);
    expect(seen.map(({ id }) => id)).toEqual([rows[0]?.jobId, rows[1]?.jobId]);
    await client.flushall();
    expect(await relay.pass()).toEqual(passed({ put: 3 }));
    await seenBy(seen, 4);
    // The very same messages: an agent knows them by id and content (R5).
    expect(seen.slice(2)).toEqual(seen.slice(0, 2));
  });

  test('puts nothing back that an answer has closed', async () => {
    await relay.pass();
    rows = rows.slice(2);
    await client.flushall();
    expect(await relay.pass()).toEqual(passed({ open: 1, put: 1 }));
  });

  test('holds a job back until its record was written (R12)', async () => {
    mayPut = ({ hostId }) => hostId === 'h2';
    expect(await relay.pass()).toEqual(passed({ put: 1 }));
    mayPut = () => true;
    expect(await relay.pass()).toEqual(passed({ put: 2 }));
  });

  test('after Redis was killed and came back, goes on with what is there and what is not', async () => {
    await relay.pass();
    const pid = server.pid() ?? 0;
    signalProcess(pid, 'SIGKILL');
    await waitUntil('noticed', () => redis.status !== 'ready', { deadlineMs: 10_000 });
    expect((await relay.pass()).kind).toBe('redis-away');
    await waitUntil('back', () => redis.status === 'ready' && server.pid() !== pid, {
      deadlineMs: 20_000,
    });
    rows.push(rowFor('h2'));
    expect(await relay.pass()).toEqual(passed({ open: 4, put: 1 }));
  }, 40_000);

  test('puts in anew what is over without an answer, whether it completed or failed', async () => {
    agent('h2', () => Promise.reject(new Error('cannot be understood')));
    agent('h1');
    await relay.pass();
    await Promise.all(rows.map(over));
    expect(await relay.pass()).toEqual(passed({}));
    mono += 29_999;
    expect(await relay.pass()).toEqual(passed({}));
    await Promise.all(links.splice(0).map((link) => link.close(1_000)));
    mono += 1;
    expect(await relay.pass()).toEqual(passed({ putAgain: 3 }));
    const freshly = { active: 0, completed: 0, failed: 0 };
    expect(await countQueue(queues, 'host-h1')).toMatchObject({ ...freshly, waiting: 2 });
    expect(await countQueue(queues, 'host-h2')).toMatchObject({ ...freshly, waiting: 1 });
    // Not at once again, which would be a loop without rest.
    expect(await relay.pass()).toEqual(passed({}));
    const again = [agent('h1'), agent('h2')] as const;
    await seenBy(again[0].seen, 2);
    await seenBy(again[1].seen, 1);
  });

  test('leaves alone what waits or is being run', async () => {
    let finish: () => void = () => undefined;
    const { seen } = agent('h2', () => new Promise<void>((resolve) => (finish = resolve)));
    await relay.pass();
    await seenBy(seen, 1);
    for (let turn = 0; turn < 3; turn += 1) {
      mono += 60_000;
      expect(await relay.pass()).toEqual(passed({}));
    }
    finish();
    await waitUntil('over', async () => (await countQueue(queues, 'host-h2')).completed === 1, {
      deadlineMs: 10_000,
    });
    expect(seen).toHaveLength(1);
  });

  test('clears away what stands in a job’s place', async () => {
    const [first, second] = rows as [OutboxRow, OutboxRow, OutboxRow];
    await client.set(jobKey('host-h1', first.jobId), 'no job');
    await client.hset(jobKey('host-h1', second.jobId), 'name', 'in no list');
    expect(await relay.pass()).toEqual(passed({ put: 1, putAgain: 2 }));
    const { seen } = agent('h1');
    await seenBy(seen, 2);
  });

  test('puts in anew what a former leader has put in, at once, for nobody takes that any more (R16)', async () => {
    await relay.pass();
    leader = [1, 2];
    expect(await relay.pass()).toEqual(passed({ putAgain: 3 }));
    expect(await relay.pass()).toEqual(passed({}));
    const { seen } = agent('h2');
    await seenBy(seen, 1);
    expect(seen[0]).toMatchObject({ leader: [1, 2], id: rows[2]?.jobId });
  });

  test('signs anew what was signed by a key that is used no more', async () => {
    signing = newSigningKey();
    await relay.pass();
    const { seen } = agent('h2');
    await seenBy(seen, 1);
    expect(seen[0]).toMatchObject({ keyId: signing.id, id: rows[2]?.jobId });
  });

  test('a queue whose keys hold something else is emptied, and holds up no other host’s', async () => {
    await client.set(`${queuePrefix('host-h1')}:host-h1:meta`, 'x');
    const first = await relay.pass();
    expect(first).toMatchObject({ put: 1 });
    expect(first.kind === 'passed' && first.refused).toHaveLength(2);
    expect(damages[0]).toMatch(/^queue of h1: WRONGTYPE/);
    expect(await relay.pass()).toEqual(passed({ put: 2 }));
    await client.del(`${queuePrefix('host-h1')}:host-h1:id`);
    await client.lpush(`${queuePrefix('host-h1')}:host-h1:id`, 'x');
    rows.push(rowFor('h1'));
    expect(await relay.pass()).toMatchObject({ open: 4, put: 0 });
    await relay.pass();
    const { seen } = agent('h1');
    await seenBy(seen, 3);
  });

  test('a queue that is slowed down by nobody of ours is emptied once a job waits in it for long', async () => {
    await relay.pass();
    await client.hset(`${queuePrefix('host-h1')}:host-h1:meta`, 'concurrency', '0');
    mono += 30_000;
    await relay.pass();
    expect(damages[0]).toBe('queue of h1: it is slowed down');
    await relay.pass();
    const { seen } = agent('h1');
    await seenBy(seen, 2);
  });

  test('a full Redis refuses jobs one by one, and takes them later', async () => {
    await client.config('SET', 'maxmemory', '1');
    const full = await relay.pass();
    await client.config('SET', 'maxmemory', '0');
    expect(full).toMatchObject(passed({ refused: expect.any(Array) as never }));
    expect(full.kind === 'passed' && full.refused[0]?.reason).toMatch(/OOM/);
    expect(await relay.pass()).toEqual(passed({ put: 3 }));
  });
});

describe('the pause of a queue (R31)', () => {
  test('follows SQL, also after Redis lost it, and what is held is run on resume', async () => {
    const flag = (): Promise<number> =>
      client.hexists(`${queuePrefix('host-h1')}:host-h1:meta`, 'paused');
    paused = new Set(['h1']);
    await relay.pass();
    const { seen } = agent('h1');
    const other = agent('h2');
    await seenBy(other.seen, 1);
    expect(seen).toEqual([]);
    expect(await countQueue(queues, 'host-h1')).toMatchObject({ waiting: 2, paused: true });
    await client.flushall();
    expect(await flag()).toBe(0);
    await relay.pass();
    expect(await flag()).toBe(1);
    expect(seen).toEqual([]);
    paused = new Set();
    await relay.pass();
    expect(await flag()).toBe(0);
    await seenBy(seen, 2);
  });

  test('is lifted where SQL does not know it', async () => {
    await queues.queue('host-h1').pause();
    await relay.pass();
    expect((await countQueue(queues, 'host-h1')).paused).toBe(false);
  });
});

test('only as many queues are open as were asked for, and all of them work', async () => {
  rows = Array.from({ length: 10 }, (_, index) => rowFor(`many-${index}`));
  expect(await relay.pass()).toEqual(passed({ open: 10, put: 10 }));
  expect(queues.size()).toBe(3);
  expect(await relay.pass()).toEqual(passed({ open: 10 }));
  expect((await countQueue(queues, 'host-many-0')).waiting).toBe(1);
});
