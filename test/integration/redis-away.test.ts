import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiError, callApi } from '../../src/api/client.ts';
import { defaultFleetSettings } from '../../src/core/coordinator/fleet.ts';
import { createAgentLink } from '../../src/jobs/agent-link.ts';
import { loadOrMakeKeys } from '../../src/jobs/key-files.ts';
import { publicKeysOf } from '../../src/main/key-card.ts';
import { runServer } from '../../src/main/run-server.ts';
import type { RunningServer } from '../../src/main/run-server.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { signalProcess } from '../bed/processes.ts';
import { noFeeds } from './no-feeds.ts';
import { startTestRedis } from './redis.ts';
import type { TestRedis } from './redis.ts';

let directory: string;
let redis: TestRedis;
let server: RunningServer | null;
let back: () => Promise<void>;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gs-away-'));
  redis = await startTestRedis({ own: true });
  back = redis.stop;
  server = await runServer({
    ...{ version: '0', dataDirectory: directory, socketPath: join(directory, 'api.sock') },
    ...{ redis: redis.address, settings: defaultFleetSettings, services: [] },
    ...{
      describeSettings: (salt: string) => ({ salt, settings: {} }),
      exploitedFeeds: new Set<string>(),
      trackerFeeds: new Set<string>(),
      feeds: noFeeds,
      minuteOfDay: () => 0,
      notify: {},
      auditing: { anchors: {}, sealAfterDays: null },
    },
    ...{ logger: createLogger('silent', 'test'), signal: new AbortController().signal },
  });
});
afterEach(async () => {
  await server?.stop();
  await back();
  await rm(directory, { recursive: true });
});

const elapsed = async (act: () => Promise<unknown>): Promise<number> => {
  const begin = performance.now();
  await act();
  return performance.now() - begin;
};

/** Redis as it may be away: its process over, or there and without an answer. */
const ways: [string, () => Promise<() => Promise<void>>][] = [
  [
    'gone',
    async () => {
      await redis.stop();
      return () => Promise.resolve();
    },
  ],
  [
    'there, but silent',
    () => {
      const pid = redis.pid() ?? 0;
      signalProcess(pid, 'SIGSTOP');
      return Promise.resolve(async () => {
        signalProcess(pid, 'SIGCONT');
        await redis.stop();
      });
    },
  ],
];

describe.each(ways)('while Redis is %s', (_, leave) => {
  test('queues says so within seconds', async () => {
    // Once with Redis there, so that queues are open.
    await callApi(join(directory, 'api.sock'), 'GET', '/v1/queues');
    back = await leave();
    let said: unknown;
    const tookMs = await elapsed(async () => {
      said = await callApi(join(directory, 'api.sock'), 'GET', '/v1/queues').catch(
        (error: unknown) => error,
      );
    });
    expect(said).toBeInstanceOf(ApiError);
    expect(said).toMatchObject({
      status: 503,
      message: expect.stringMatching(/^Redis does not answer/),
    });
    expect(tookMs).toBeLessThan(4_000);
  }, 60_000);

  test('what an operator asks for is answered once it is committed, and says that hosts hear of it later', async () => {
    const socket = join(directory, 'api.sock');
    const [publicKey = ''] = publicKeysOf(await loadOrMakeKeys(join(directory, 'h1.json'), null));
    const post = (path: string, body: object): Promise<unknown> =>
      callApi(socket, 'POST', path, { actor: 'ann', ...body });
    await post('/v1/keys', {
      hostId: 'h1',
      change: { kind: 'enrol', machineId: 'm1', publicKey },
    });
    const add = { action: 'host-add', hostId: 'h1', zone: null, cap: null };
    expect(await post('/v1/actions', { action: add })).toMatchObject({
      text: expect.not.stringContaining('Redis'),
    });
    back = await leave();
    const pause = { action: 'pause', level: { level: 'fleet' }, reason: 'rehearsal' };
    let said: unknown;
    let status: unknown;
    const tookMs = await elapsed(async () => {
      said = await post('/v1/actions', { action: pause });
      // A second one, for nothing may queue up behind the record of the first.
      await post('/v1/actions', { action: { action: 'freeze', reason: 'fair', until: null } });
      status = await callApi(socket, 'GET', '/v1/status');
    });
    expect(said).toMatchObject({
      text: expect.stringMatching(
        /paused.*; Redis does not answer now: .* hear of it when it does/,
      ),
    });
    expect(status).toMatchObject({
      redis: expect.stringMatching(/^does not answer/),
      pauses: [{ reason: 'rehearsal' }],
      freezes: [{ reason: 'fair' }],
    });
    expect(tookMs).toBeLessThan(4_000);
  }, 60_000);

  test('server and agent’s link stop at once', async () => {
    const link = createAgentLink({
      ...{ address: redis.address, hostId: 'h1', onJob: () => Promise.resolve() },
      ...{ onProblem: () => undefined, onDamage: () => undefined, nowMs: () => performance.now() },
    });
    await link.showPresence({ version: '0', incarnation: 'i', pid: 1 }).catch(() => undefined);
    back = await leave();
    const linkMs = await elapsed(() => link.close(2_000));
    const serverMs = await elapsed(async () => {
      await server?.stop();
      server = null;
    });
    expect({ linkMs, serverMs, both: linkMs + serverMs }).toEqual({
      linkMs: expect.any(Number),
      serverMs: expect.any(Number),
      both: expect.any(Number),
    });
    expect(linkMs + serverMs).toBeLessThan(2_000);
  }, 60_000);
});
