import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultFleetSettings } from '../../src/core/coordinator/fleet.ts';
import type { Answer } from '../../src/core/coordinator/operator.ts';
import { connectSender } from '../../src/jobs/connections.ts';
import { forgetHostQueue } from '../../src/jobs/forget-host-queue.ts';
import { createQueueCache } from '../../src/jobs/queue-cache.ts';
import { controlRecordKey, hostQueue } from '../../src/jobs/queue-names.ts';
import { exportPublicKey, newSigningKey, verifyKeyOf } from '../../src/jobs/signing-key.ts';
import { saveFleet } from '../../src/store/fleet-rows.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/open-store.ts';
import { startCoordinator } from '../../src/workers/control/coordinate.ts';
import type { Coordinator } from '../../src/workers/control/coordinate.ts';
import { openHostKeys } from '../../src/workers/control/host-keys.ts';
import type { HostKeys } from '../../src/workers/control/host-keys.ts';
import { buildFleet } from '../../src/workers/control/load-fleet.ts';
import { removeHost } from '../../src/workers/control/remove-host.ts';
import { waitUntil } from '../bed/wait-until.ts';
import { startTestRedis } from './redis.ts';

let directory: string;
let store: Store;
let hostKeys: HostKeys;
let coordinator: Coordinator;
let changes: string[];
let forgotten: string[];

/** A coordinator over the real store; no Redis and no agent. */
const start = async (): Promise<void> => {
  hostKeys = await openHostKeys(store, () => 1);
  let ids = 0;
  coordinator = await startCoordinator({
    load: () => buildFleet(store, 1, defaultFleetSettings, [], hostKeys.isEnrolled),
    commit: ({ fleet, commands }) =>
      saveFleet(
        store.db,
        fleet,
        commands.flatMap(({ dirty }) => dirty),
      ),
    publish: () => Promise.resolve(),
    kickRelay: () => undefined,
    notify: () => undefined,
    moment: () => ({ now: 1, wall: { ms: 1, minuteOfDay: 0 } }),
    newId: () => `id${++ids}`,
    onError: (error) => {
      throw error;
    },
  });
};

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gs-remove-host-'));
  store = await openStore(join(directory, 'store.db'));
  [changes, forgotten] = [[], []];
  await start();
});
afterEach(async () => {
  await coordinator.stop();
  await store.close();
  await rm(directory, { recursive: true });
});

const changedKeys = async (actor: string, host: string, what: string): Promise<Answer> => {
  changes.push(`${what} of ${host}`);
  const believed = hostKeys.isEnrolled(host);
  await coordinator.submit({ kind: 'keys-changed', actor, host, what, believed });
  return { ok: true, id: null, text: `${what} of host ${host}` };
};
const remove = (): Promise<Answer> => {
  const forgetHost = (host: string): Promise<void> => {
    forgotten.push(host);
    return Promise.resolve();
  };
  return removeHost({ coordinator, hostKeys, changedKeys, forgetHost }, 'ann', 'h1');
};
const enrol = async (): Promise<void> => {
  await hostKeys.enrol('h1', 'm', exportPublicKey(verifyKeyOf(newSigningKey())));
  await coordinator.act('ann', { action: 'host-add', hostId: 'h1', zone: null, cap: null });
};

test('a host is kept until it is revoked, then forgotten with its keys, for ever', async () => {
  await enrol();
  expect(await remove()).toMatchObject({ ok: false });
  expect(hostKeys.isEnrolled('h1')).toBe(true);

  await hostKeys.revoke('h1');
  await changedKeys('ann', 'h1', 'revoked every key');
  await coordinator.stop();
  await start();
  expect(coordinator.fleet().hosts.get('h1')).toMatchObject({ revoked: true });

  expect(await remove()).toMatchObject({ ok: true, text: 'host h1 is removed, with 0 containers' });
  expect(forgotten).toEqual(['h1']);
  expect(changes.at(-1)).toBe('forgot every key of h1');
  await coordinator.stop();
  await start();
  expect(coordinator.fleet().hosts.size).toBe(0);
  expect(await hostKeys.forget('h1')).toBe(false);
  expect(await remove()).toMatchObject({ ok: false });
});

test('keys of a host that is in no fleet are forgotten, too', async () => {
  await hostKeys.enrol('h1', 'm', exportPublicKey(verifyKeyOf(newSigningKey())));
  expect(await remove()).toMatchObject({ ok: true, text: 'forgot every key of host h1' });
  expect(hostKeys.isEnrolled('h1')).toBe(false);
  expect(forgotten).toEqual(['h1']);
});

test('what Redis holds for a host goes with it, and nothing else', async () => {
  const server = await startTestRedis({ own: true });
  const redis = connectSender(server.address, () => undefined);
  const onError = (): void => undefined;
  const queues = createQueueCache(redis, { capacity: 9, onError });
  try {
    await waitUntil('Redis answers', () => Promise.resolve(redis.status === 'ready'), {
      ...{ deadlineMs: 10_000, everyMs: 10 },
    });
    for (const host of ['h1', 'h1-b']) {
      await redis.set(controlRecordKey(host), 'record');
      await queues.queue(hostQueue(host)).add('observe-host', {}, { jobId: `${host}_1` });
      await queues.queue(hostQueue(host)).pause();
    }
    await forgetHostQueue(redis, queues, 'h1');
    const keys = await redis.keys('*');
    expect(keys.filter((key) => key.startsWith('gw:{h1}'))).toEqual([]);
    expect(keys.filter((key) => key.startsWith('gw:{h1-b}')).length).toBeGreaterThan(2);
  } finally {
    await queues.close();
    redis.disconnect();
    await server.stop();
  }
});
