import { createApi } from '../../src/api/server.ts';
import type { ApiBackend } from '../../src/api/server.ts';
import type { Scene } from '../core/coordinator/fleet-scene.ts';

/** The API over a coordinator in memory. */
export const apiOf = (here: Scene): ReturnType<typeof createApi> => {
  const backend: ApiBackend = {
    fleet: () => here.fleet,
    moment: () => ({ now: here.now, wall: here.wall }),
    act: (actor, action) =>
      Promise.resolve(
        here.step({ kind: 'operator', actor, action }).answer ?? { ok: false, reason: '' },
      ),
    refusedAlerts: () => [],
    queues: () => Promise.resolve([]),
    audit: () => Promise.resolve([]),
    auditTrail: {
      bundle: () => Promise.reject(new Error('none')),
      keys: () => Promise.resolve([]),
    },
    meanRestartMs: () => 1,
    about: () => Promise.resolve({}),
    redisAlerts: () => [],
    onChange: () => () => undefined,
    problem: () => null,
    advisories: {
      feeds: () => [],
      changeFeed: () => Promise.resolve({ ok: true, id: null, text: '' }),
      pending: () => Promise.resolve([]),
      details: () => Promise.resolve([]),
      plan: () => Promise.resolve(null),
      inventory: () => Promise.resolve(null),
    },
    changeKeys: () => Promise.resolve({ ok: true, id: null, text: '' }),
    makeRedisUser: () => Promise.resolve({ ok: true, id: null, text: '' }),
  };
  return createApi(backend);
};
