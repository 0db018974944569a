import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { callApi } from '../../../src/api/client.ts';
import { createAgentLink } from '../../../src/jobs/agent-link.ts';
import { signEnvelope } from '../../../src/jobs/envelope.ts';
import { loadOrMakeKeys } from '../../../src/jobs/key-files.ts';
import { controlRecordKey, fleetQueue, queuePrefix } from '../../../src/jobs/queue-names.ts';
import { writeReport } from '../../../src/jobs/read-report.ts';
import { newSigningKey } from '../../../src/jobs/signing-key.ts';
import { publicKeysOf } from '../../../src/main/key-card.ts';
import { waitUntil } from '../../bed/wait-until.ts';
import { startServer } from '../fleet/start-server.ts';
import { startProxy } from './proxy.ts';
import { startRedisProcess } from './redis-process.ts';
import type { RedisProcess } from './redis-process.ts';
import { startRig, throughFault } from './rig.ts';

let redis: RedisProcess;
beforeEach(async () => {
  redis = await startRedisProcess();
});
afterEach(() => redis.stop());

test('a Redis of more than a second a command is told, and work goes on when it is quick again', async () => {
  const proxy = await startProxy(redis.port);
  const rig = await startRig({ kind: 'url', url: redis.url.replace(/:\d+$/, `:${proxy.port}`) });
  try {
    const borne = await throughFault(rig, {
      ...{ kind: 'slow', words: /takes [\d.]+ s to answer.*SLOWLOG GET/, holdMs: 4_000 },
      begin: () => Promise.resolve((proxy.delayMs = 600)),
      end: () => Promise.resolve((proxy.delayMs = 0)),
    });
    expect(borne.load).toBeLessThan(0.5);
    expect(borne.doneMs).toBeLessThan(30_000);
  } finally {
    await rig.stop();
    proxy.stop();
  }
}, 180_000);

test('a control record that Redis takes late is out then, and nothing to warn of', async () => {
  const proxy = await startProxy(redis.port);
  const directory = await mkdtemp(join(tmpdir(), 'gs-late-record-'));
  const warned: string[] = [];
  const server = await startServer({
    dataDirectory: directory,
    redis: { kind: 'url', url: redis.url.replace(/:\d+$/, `:${proxy.port}`) },
    logger: pino({ level: 'warn' }, { write: (line) => void warned.push(line) }),
  });
  const change = (path: string, body: object) =>
    callApi(join(directory, 'api.sock'), 'POST', path, { actor: 'ann', ...body });
  const act = (action: object) => change('/v1/actions', { action });
  const record = () => redis.client().get(controlRecordKey('h1'));
  try {
    const [publicKey] = publicKeysOf(await loadOrMakeKeys(join(directory, 'h1.json'), null));
    const enrol = { kind: 'enrol', machineId: 'h1', publicKey };
    await change('/v1/keys', { hostId: 'h1', change: enrol });
    await act({ action: 'host-add', hostId: 'h1', zone: null, cap: null });
    const before = await waitUntil('first record', record, { deadlineMs: 10_000 });
    proxy.delayMs = 300;
    await act({ action: 'pause', level: { level: 'fleet' }, reason: 'a look' });
    await waitUntil('next record', async () => (await record()) !== before, {
      deadlineMs: 10_000,
    });
    // Its answer is on its way.
    await sleep(2 * proxy.delayMs);
  } finally {
    proxy.delayMs = 0;
    await server.stop();
    proxy.stop();
    await rm(directory, { recursive: true });
  }
  expect(warned).toEqual([]);
}, 180_000);

test('an agent sends no more than a slow Redis can take, whatever it has to tell', async () => {
  const key = newSigningKey();
  const report = () =>
    signEnvelope(
      writeReport(
        {
          ...{ host: 'h1', incarnation: 'i', seq: 1, acked: 0, echo: [1, 1, 1] },
          report: { kind: 'restart-progress', grantId: 'g', step: 'journaled', at: 0 },
        },
        { uuid: randomUUID(), issuedAt: 0 },
      ),
      key,
    );
  const link = createAgentLink({
    ...{ address: { kind: 'url', url: redis.url }, hostId: 'h1', limitMs: 300 },
    ...{ onJob: () => Promise.resolve(), onProblem: () => undefined, onDamage: () => undefined },
    nowMs: () => performance.now(),
  });
  const sent = (): Promise<boolean> =>
    link.sendReport(report()).then(
      () => true,
      () => false,
    );
  try {
    await waitUntil('first report', sent, { deadlineMs: 10_000 });
    redis.signal('SIGSTOP');
    const tried = await Promise.allSettled(
      Array.from({ length: 200 }, () => link.sendReport(report())),
    );
    const refusals = tried.map((one) => (one.status === 'rejected' ? String(one.reason) : ''));
    expect(refusals.filter((text) => /did not answer within 300 ms/.test(text))).toHaveLength(50);
    expect(refusals.filter((text) => /Redis is slow, 50 commands wait/.test(text))).toHaveLength(
      150,
    );
    redis.signal('SIGCONT');
    await waitUntil('next report', sent, { deadlineMs: 10_000 });
    const waiting = await redis.client().llen(`${queuePrefix(fleetQueue)}:${fleetQueue}:wait`);
    expect(waiting).toBeLessThan(60);
  } finally {
    redis.signal('SIGCONT');
    await link.close(500);
  }
}, 180_000);
