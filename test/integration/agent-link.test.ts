import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  jest,
  test,
} from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Queue } from 'bullmq';
import { execa } from 'execa';
import type { Redis } from 'ioredis';
import type { ControlRecord } from '../../src/core/messages.ts';
import { createAgentLink, readPresence } from '../../src/jobs/agent-link.ts';
import type { AgentLink } from '../../src/jobs/agent-link.ts';
import type { RedisAddress } from '../../src/jobs/connections.ts';
import { connectSender, connectWorker } from '../../src/jobs/connections.ts';
import {
  hostsWithoutRecord,
  putControlRecord,
  readControlRecord,
} from '../../src/jobs/control-record.ts';
import { signEnvelope } from '../../src/jobs/envelope.ts';
import { jobLimits, jobOptions } from '../../src/jobs/job-options.ts';
import { fleetQueue, hostQueue, jobKey, queuePrefix } from '../../src/jobs/queue-names.ts';
import { writeReport } from '../../src/jobs/read-report.ts';
import { redisUserRules } from '../../src/jobs/redis-user.ts';
import { newSigningKey, verifyKeyOf } from '../../src/jobs/signing-key.ts';
import { createSteadyWorker, steadyTimes } from '../../src/jobs/steady-worker.ts';
import type { SteadyTimes, SteadyWorker } from '../../src/jobs/steady-worker.ts';
import { startRedisChild } from '../../src/main/redis-child.ts';
import { signalProcess } from '../bed/processes.ts';
import { waitUntil } from '../bed/wait-until.ts';
import { startTestRedis } from './redis.ts';
import type { TestRedis } from './redis.ts';

let server: TestRedis;
let client: Redis;
let queue: Queue;
beforeAll(async () => {
  server = await startTestRedis({ own: true });
  client = server.client();
});
afterAll(() => server.stop());

const key = newSigningKey();
const links: AgentLink[] = [];
const workers: SteadyWorker[] = [];
let problems: string[];
let damages: string[];

beforeEach(async () => {
  await client.flushall();
  [problems, damages] = [[], []];
  const name = hostQueue('h1');
  queue = new Queue(name, { connection: server.client(), prefix: queuePrefix(name) });
  queue.on('error', () => undefined);
  await queue.waitUntilReady();
});
afterEach(async () => {
  await Promise.all([
    ...links.splice(0).map((link) => link.close(500)),
    ...workers.splice(0).map((worker) => worker.close(500)),
  ]);
  await queue.close();
});

const asHost = (hostId: string): RedisAddress => {
  if (server.address.kind !== 'socket') throw new Error('want an own server');
  return { ...server.address, username: hostId, password: 'secret' };
};

const link = (part: {
  address?: RedisAddress;
  hostId?: string;
  onJob?: (data: unknown) => Promise<void>;
  times?: Partial<SteadyTimes>;
}): AgentLink => {
  const made = createAgentLink({
    address: part.address ?? server.address,
    hostId: part.hostId ?? 'h1',
    onJob: part.onJob ?? (() => Promise.resolve()),
    onProblem: (text) => problems.push(text),
    onDamage: (reason) => damages.push(reason),
    nowMs: () => performance.now(),
    limitMs: 500,
    times: { ...steadyTimes, ...part.times },
  });
  links.push(made);
  return made;
};

const add = async (count = 1): Promise<void> => {
  for (let made = 0; made < count; made += 1)
    await queue.add('observe-host', { made }, { ...jobOptions, jobId: `h1_${randomUUID()}` });
};

const report = (host = 'h1') =>
  signEnvelope(
    writeReport(
      {
        host,
        incarnation: 'i',
        seq: 1,
        acked: 0,
        echo: [1, 1, 1],
        report: { kind: 'restart-progress', grantId: 'g', step: 'journaled', at: 0 },
      },
      { uuid: randomUUID(), issuedAt: 0 },
    ),
    key,
  );

const untilSent = (from: AgentLink): Promise<true> =>
  waitUntil(
    'report taken',
    () =>
      from.sendReport(report()).then(
        () => true,
        () => false,
      ),
    {
      deadlineMs: 20_000,
    },
  );

const record: ControlRecord = {
  number: [1, 1, 1],
  serverTime: 5,
  incarnation: null,
  ackedSeq: 0,
  pauses: [],
  freezes: [],
  excluded: false,
  voids: [],
  suspects: [],
  parked: [],
};

describe('an agent with a Redis user of its own', () => {
  beforeEach(async () => {
    await client.call('ACL', 'SETUSER', 'h1', ...redisUserRules('h1'), '>secret');
  });
  afterEach(async () => {
    await client.call('ACL', 'DELUSER', 'h1', 'h10');
  });

  test('takes jobs, reports, reads its record and shows that it lives', async () => {
    const taken: unknown[] = [];
    const agent = link({
      address: asHost('h1'),
      onJob: (data) => {
        taken.push(data);
        return (data as { made: number }).made === 1
          ? Promise.reject(new Error('cannot be understood'))
          : Promise.resolve();
      },
    });
    await add(3);
    await waitUntil('three jobs', () => taken.length === 3, { deadlineMs: 10_000 });
    await waitUntil(
      'their ends',
      async () => {
        const counts = await queue.getJobCounts('completed', 'failed', 'active');
        return counts['completed'] === 2 && counts['failed'] === 1 && counts['active'] === 0;
      },
      { deadlineMs: 10_000 },
    );
    const sent = report();
    await agent.sendReport(sent);
    expect(await client.exists(jobKey(fleetQueue, sent.id))).toBe(1);
    expect(await agent.fetchControlRecord()).toBeNull();
    expect(await hostsWithoutRecord(client, ['h1', 'h2'])).toEqual(['h1', 'h2']);
    await putControlRecord(client, 'h1', record, key);
    expect(await hostsWithoutRecord(client, ['h1', 'h2'])).toEqual(['h2']);
    const text = (await agent.fetchControlRecord()) ?? '';
    expect(readControlRecord(text, 'h1', [verifyKeyOf(key)])).toEqual({ kind: 'record', record });
    const presence = { version: '1', incarnation: 'i', pid: 1 };
    await agent.showPresence(presence);
    expect(await readPresence(client, 'h1')).toEqual(presence);
    expect(await client.pttl('gw:presence:h1')).toBeGreaterThan(0);
    expect(problems).toEqual([]);
    await client.set('gw:presence:h1', '{');
    expect(await readPresence(client, 'h1')).toBeNull();
  });

  test('cannot write in another host’s name, whose name may begin like its own', async () => {
    const agent = link({ address: asHost('h1') });
    await untilSent(agent);
    // As Redis 7 says it, and Redis 8.
    const denied = /access (?:at least one of the keys|a key)/;
    await expect(agent.sendReport(report('h10'))).rejects.toThrow(denied);
    await expect(agent.sendReport(report('h2'))).rejects.toThrow(denied);
  });

  test('without the right to INFO a worker would spin: it is paused and built anew', async () => {
    await client.call('ACL', 'SETUSER', 'h1', '-info');
    // ioredis tells on the console that it may not ask.
    const warnings = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
    const before = process.cpuUsage();
    const taken: unknown[] = [];
    const agent = link({
      address: asHost('h1'),
      onJob: (data) => Promise.resolve(void taken.push(data)),
      times: { pauseMs: 300, longestPauseMs: 600 },
    });
    await waitUntil('two rebuilds', () => agent.rebuilds() >= 2, { deadlineMs: 20_000 });
    const { user } = process.cpuUsage(before);
    expect(user / 1_000).toBeLessThan(2_000);
    expect(problems.join()).toContain('errors without pause');
    // Told, but not by the thousand.
    expect(problems.length).toBeLessThan(10);
    await client.call('ACL', 'SETUSER', 'h1', '+info');
    await add();
    await waitUntil('job', () => taken.length === 1, { deadlineMs: 20_000 });
    warnings.mockRestore();
  }, 40_000);
});

describe('when Redis is away', () => {
  test('sending rejects in time, nothing piles up, and all goes on when it is back', async () => {
    const dataDirectory = await mkdtemp(join(tmpdir(), 'gs-away-'));
    const start = () => startRedisChild({ dataDirectory, onProblem: () => undefined });
    let own = await start();
    const agent = link({ address: own.address });
    await untilSent(agent);
    signalProcess(own.pid() ?? 0, 'SIGSTOP');
    await expect(agent.sendReport(report())).rejects.toThrow('did not answer within 500 ms');
    signalProcess(own.pid() ?? 0, 'SIGCONT');
    await own.stop();
    await waitUntil(
      'noticed',
      () =>
        agent.fetchControlRecord().then(
          () => false,
          (error: unknown) => /away/.test(String(error)),
        ),
      { deadlineMs: 10_000 },
    );
    const began = performance.now();
    const many = await Promise.allSettled(
      Array.from({ length: 200 }, () => agent.sendReport(report())),
    );
    expect(many.every(({ status }) => status === 'rejected')).toBe(true);
    expect(performance.now() - began).toBeLessThan(500);
    own = await start();
    await untilSent(agent);
    const sender = connectSender(own.address, () => undefined);
    await waitUntil('connected', () => sender.status === 'ready', { deadlineMs: 10_000 });
    expect(await sender.llen(`${queuePrefix(fleetQueue)}:${fleetQueue}:wait`)).toBeLessThan(10);
    await own.stop();
    await waitUntil('noticed', () => sender.status !== 'ready', { deadlineMs: 10_000 });
    const asked = performance.now();
    await expect(putControlRecord(sender, 'h1', record, key)).rejects.toThrow();
    expect(performance.now() - asked).toBeLessThan(500);
    sender.disconnect();
    await rm(dataDirectory, { recursive: true });
  }, 60_000);
});

describe('a job', () => {
  test('whose agent was killed comes again, to the agent that follows', async () => {
    if (server.address.kind !== 'socket') throw new Error('want an own server');
    const script = join(import.meta.dirname, 'slow-agent.child.ts');
    const { path, password } = server.address;
    const former = execa(process.execPath, ['--import', 'tsx', script, path, password, 'h1'], {
      reject: false,
      buffer: false,
    });
    await add();
    await once(former.stdout, 'data');
    former.kill('SIGKILL');
    await former;
    const taken: unknown[] = [];
    link({
      onJob: (data) => Promise.resolve(void taken.push(data)),
      times: { lockDurationMs: 1_000, stalledIntervalMs: 500 },
    });
    await waitUntil('redelivery', () => taken.length === 1, { deadlineMs: 20_000 });
    expect(taken).toEqual([{ made: 0 }]);
  }, 40_000);

  test('that is being run when the agent stops is awaited up to the limit', async () => {
    let finish: () => void = () => undefined;
    let began = false;
    const agent = link({
      onJob: () => {
        began = true;
        return new Promise<void>((resolve) => (finish = resolve));
      },
    });
    await add();
    await waitUntil('begun', () => began, { deadlineMs: 10_000 });
    const closed = agent.close(10_000);
    finish();
    await closed;
    expect((await queue.getJobCounts('completed'))['completed']).toBe(1);
  });
});

test('a worker that stands still although jobs wait is built anew', async () => {
  const swallowing = join(await mkdtemp(join(tmpdir(), 'gs-swallow-')), 's');
  const open = new Set<Socket>();
  const swallow = createServer((socket) => void open.add(socket)).listen(swallowing);
  await once(swallow, 'listening');
  const made: Redis[] = [];
  const taken: unknown[] = [];
  let now = 0;
  const worker = createSteadyWorker({
    queueName: hostQueue('h1'),
    concurrency: 1,
    ...{ limits: jobLimits, owned: false },
    connect: (onError) => {
      const redis = connectWorker(server.address, onError);
      // The first worker's blocking connection is swallowed: it waits for ever, without an error.
      if (made.length === 0) {
        const duplicate = redis.duplicate.bind(redis);
        redis.duplicate = (override) => {
          const silent = { ...override, path: swallowing, retryStrategy: null };
          return duplicate({ ...silent, connectTimeout: 600_000, socketTimeout: 600_000 });
        };
      }
      made.push(redis);
      return redis;
    },
    handle: ({ data }) => Promise.resolve(void taken.push(data)),
    onProblem: (text) => problems.push(text),
    onDamage: (reason) => damages.push(reason),
    nowMs: () => now,
    times: { ...steadyTimes, watchEveryMs: 20 },
  });
  workers.push(worker);
  await add();
  await waitUntil('first job', () => taken.length === 1, { deadlineMs: 10_000 });
  // Nothing waits: standing still is no trouble, however long.
  now += 3_600_000;
  await add();
  await waitUntil('seen to wait', async () => (await queue.getWaitingCount()) === 1, {
    deadlineMs: 5_000,
  });
  await waitUntil(
    'rebuilt',
    () => {
      now += 5_000;
      return worker.rebuilds() === 1;
    },
    { deadlineMs: 10_000, everyMs: 50 },
  );
  await waitUntil('second job', () => taken.length === 2, { deadlineMs: 10_000 });
  expect(problems.join()).toContain('none was started');
  expect(now - 3_600_000).toBeGreaterThanOrEqual(60_000);
  for (const socket of open) socket.destroy();
  swallow.close();
  await rm(dirname(swallowing), { recursive: true });
}, 30_000);
