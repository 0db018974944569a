import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startProxy } from './proxy.ts';
import type { Proxy } from './proxy.ts';
import { startRedisProcess } from './redis-process.ts';
import type { RedisProcess } from './redis-process.ts';
import { startRig, throughFault } from './rig.ts';
import type { Fault, Rig } from './rig.ts';

let redis: RedisProcess;
beforeAll(async () => {
  redis = await startRedisProcess();
});
afterAll(() => redis.stop());

let rig: Rig;
afterEach(() => rig.stop());

describe('a Redis that', () => {
  beforeEach(async () => {
    await redis.client().flushall();
    rig = await startRig({ kind: 'url', url: redis.url });
  });
  const stopped = (): Promise<void> => {
    redis.signal('SIGSTOP');
    return Promise.resolve();
  };
  const continued = (): Promise<void> => {
    redis.signal('SIGCONT');
    return Promise.resolve();
  };
  test.each<[string, Fault]>([
    [
      'is killed, and started again over its files',
      {
        ...{ kind: 'unreachable', words: /cannot be reached \(.*ECONNREFUSED.*: start it/ },
        ...{ begin: () => redis.kill(), end: () => redis.start() },
      },
    ],
    [
      'stands still',
      {
        ...{ kind: 'silent', words: /does not answer on a connection that stands .*firewalls/ },
        ...{ begin: stopped, end: continued },
      },
    ],
  ])(
    '%s',
    async (_, fault) => {
      const borne = await throughFault(rig, fault);
      expect(borne.load).toBeLessThan(0.5);
      expect(borne.doneMs).toBeLessThan(30_000);
    },
    180_000,
  );
});

describe('a way to Redis that', () => {
  let proxy: Proxy;
  beforeEach(async () => {
    await redis.client().flushall();
    proxy = await startProxy(redis.port);
    rig = await startRig({ kind: 'url', url: redis.url.replace(/:\d+$/, `:${proxy.port}`) });
  });
  afterEach(() => {
    proxy.stop();
  });
  test('swallows every connection without closing it', async () => {
    const borne = await throughFault(rig, {
      ...{ kind: 'silent', words: /does not answer on a connection that stands .*swallows/ },
      begin: () => {
        proxy.swallow();
        return Promise.resolve();
      },
      // Those that stand stay swallowed: each side has to find that out by itself.
      end: () => {
        proxy.heal();
        return Promise.resolve();
      },
    });
    expect(borne.load).toBeLessThan(0.5);
    expect(borne.doneMs).toBeLessThan(40_000);
  }, 180_000);
});
