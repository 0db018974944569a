import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { connectWorker } from '../../src/jobs/connections.ts';
import { jobLimits, jobOptions } from '../../src/jobs/job-options.ts';
import { hostQueue, jobKey, queuePrefix } from '../../src/jobs/queue-names.ts';
import { createSteadyWorker, steadyTimes } from '../../src/jobs/steady-worker.ts';
import type { SteadyWorker } from '../../src/jobs/steady-worker.ts';
import { waitUntil } from '../bed/wait-until.ts';
import { startTestRedis } from './redis.ts';
import type { TestRedis } from './redis.ts';

const name = hostQueue('h1');
const limits = { deadlineMs: 20_000 };

let server: TestRedis;
let client: Redis;
let queue: Queue;
let worker: SteadyWorker | null = null;
let problems: string[];
let damages: string[];
beforeAll(async () => {
  server = await startTestRedis({ own: true });
  client = server.client();
});
afterAll(() => server.stop());
beforeEach(() => {
  [problems, damages] = [[], []];
  queue = new Queue(name, { connection: client, prefix: queuePrefix(name) });
});
afterEach(async () => {
  await worker?.close(500);
  worker = null;
  await queue.close();
  await client.flushall();
});

/** A worker that tells each problem. */
const start = (handle: () => Promise<void>): SteadyWorker =>
  (worker = createSteadyWorker({
    ...{ queueName: name, concurrency: 50, limits: jobLimits, owned: false },
    connect: (onError) => connectWorker(server.address, onError),
    handle,
    onProblem: (text) => problems.push(text),
    onDamage: (reason) => damages.push(reason),
    nowMs: () => performance.now(),
    times: { ...steadyTimes, tellEveryMs: 0 },
  }));

const add = async (): Promise<string> => {
  const jobId = `h1_${randomUUID()}`;
  await queue.add('observe-host', {}, { ...jobOptions, jobId });
  return jobId;
};

test('jobs whose locks ran out while they were run, as where Redis is slow, are told as that, and no damage is seen in it', async () => {
  let begun = 0;
  let finish = (): void => undefined;
  const released = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const { rebuilds } = start(async () => {
    begun += 1;
    await released;
  });
  const ids = await Promise.all(Array.from({ length: 30 }, add));
  await waitUntil('all at work', () => begun === 30, limits);
  await client.del(ids.map((id) => `${jobKey(name, id)}:lock`));
  finish();
  await waitUntil('all told', () => problems.length >= 30, limits);
  await add();
  await waitUntil('the next job', () => begun === 31, limits);
  expect(problems.filter((text) => !/lost its lock.*Redis is slow/.test(text))).toEqual([]);
  expect([damages, rebuilds()]).toEqual([[], 0]);
}, 60_000);

test('one id that stands in the list without end is damage still, and the queue is emptied', async () => {
  const id = await add();
  await client.lpush(
    `${queuePrefix(name)}:${name}:wait`,
    ...Array.from({ length: 5_000 }, () => id),
  );
  start(() => Promise.resolve());
  await waitUntil('damage seen', () => damages.length > 0, limits);
  expect(damages.join()).toContain(id);
}, 60_000);
