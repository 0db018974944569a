import { expect, test } from '@jest/globals';
import { createApi } from '../../src/api/server.ts';
import type { ApiBackend } from '../../src/api/server.ts';
import type { HostView } from '../../src/cli/views.ts';
import { observed, scene, view, web } from '../core/coordinator/fleet-scene.ts';
import type { Scene } from '../core/coordinator/fleet-scene.ts';

/** The API over a coordinator in memory. */
const apiOf = (here: Scene): ReturnType<typeof createApi> => {
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

test('the state of a host says at once that its keys were revoked', async () => {
  const here = scene([web()]);
  here.report('h1', observed([view('web-1', { stale: [] })]));
  const api = apiOf(here);
  const state = async (): Promise<string | undefined> =>
    (await api.inject({ url: '/v1/hosts' })).json<HostView[]>()[0]?.state;
  expect(await state()).toBe('ok');
  const change = { kind: 'keys-changed', actor: 'ann', host: 'h1', what: '' } as const;
  here.step({ ...change, believed: false });
  expect(await state()).toBe('revoked');
  here.step({ ...change, believed: true });
  expect(await state()).toBe('ok');
});

test('what an operator names wrongly is refused with what to do', async () => {
  const api = apiOf(scene([web()]));
  const answer = await api.inject({
    ...{ method: 'POST', url: '/v1/actions' },
    payload: {
      actor: 'ann',
      action: { action: 'pause', level: { level: 'service', service: 'wbe' }, reason: '' },
    },
  });
  expect([answer.statusCode, answer.json()]).toEqual([
    409,
    { error: 'there is no service wbe; see: groundswell services' },
  ]);
});

test('status tells what is wrong now with its date, and no more when it is over', async () => {
  const here = scene([web()]);
  const api = apiOf(here);
  const alerts = async (): Promise<unknown> =>
    (await api.inject({ url: '/v1/status' })).json<{ alerts: unknown }>().alerts;
  const gate = (ok: boolean) =>
    here.report('h1', observed([view('web-1')], { gate: { ok, reason: ok ? '' : 'no network' } }));
  gate(false);
  expect(await alerts()).toEqual([
    { since: '1970-01-01T00:00:05.000Z', text: 'the host gate of h1 did not pass: no network' },
  ]);
  gate(true);
  expect(await alerts()).toEqual([]);
});

test('what cannot be understood is refused in one line, as any error', async () => {
  const api = apiOf(scene([web()]));
  const body = await api.inject({
    ...{ method: 'POST', url: '/v1/actions' },
    payload: { actor: '', action: { action: 'unfreeze' } },
  });
  expect([body.statusCode, body.json()]).toEqual([
    400,
    {
      error: expect.stringMatching(/^actor: [^\n]+; action\.id: [^\n]+$/),
    },
  ]);
  const query = await api.inject({ url: '/v1/audit?limit=0' });
  expect([query.statusCode, query.json()]).toEqual([
    400,
    { error: expect.stringMatching(/^limit: [^\n]+$/) },
  ]);
  const route = await api.inject({ url: '/v1/nothing' });
  expect([route.statusCode, route.json()]).toEqual([
    404,
    { error: 'the API has no GET /v1/nothing' },
  ]);
});

test('a request that is longer than a megabyte is refused unread', async () => {
  const api = apiOf(scene([web()]));
  const ask = async (reason: string): Promise<[number, unknown]> => {
    const payload = {
      actor: 'ann',
      action: { action: 'pause', level: { level: 'fleet' }, reason },
    };
    const answer = await api.inject({ ...{ method: 'POST', url: '/v1/actions' }, payload });
    return [answer.statusCode, answer.json()];
  };
  expect(await ask('x'.repeat(1_048_576))).toEqual([413, { error: 'Request body is too large' }]);
  expect((await ask('maintenance'))[0]).toBe(200);
});
