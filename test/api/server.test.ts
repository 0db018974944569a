import { describe, expect, test } from '@jest/globals';
import { OperatorAction } from '../../src/core/coordinator/operator-action.ts';
import { maxJobBytes } from '../../src/jobs/envelope.ts';
import type { HostView } from '../../src/cli/views.ts';
import { observed, scene, view, web } from '../core/coordinator/fleet-scene.ts';
import { apiOf } from './api-of.ts';

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

describe('what has no bound of its own', () => {
  const wanted = (name: string, version: string | null = null) => ({
    ...{ name, want: version === null ? 'newest' : 'exact', version },
  });
  const freeze = { action: 'freeze', reason: 'holidays', until: null };
  const upgrade = { action: 'upgrade', hosts: ['h1'], mode: 'packages', allowRemove: false };
  const many = Array.from({ length: 601 }, (_, n) => wanted(`lib${n}`));

  const asked = async (action: object, actor = 'ann'): Promise<[number, string]> => {
    const here = scene([web()]);
    const before = structuredClone(here.fleet);
    const answer = await apiOf(here).inject({
      ...{ method: 'POST', url: '/v1/actions' },
      payload: { actor, action },
    });
    expect(here.fleet).toEqual(before);
    return [answer.statusCode, answer.json<{ error: string }>().error];
  };

  const refused: [string, object, string?][] = [
    ['action.until: want a moment up to the year 9999', { ...freeze, until: 1e300 }],
    ['action.until: want a moment up to the year 9999', { ...freeze, until: 253_402_300_800_000 }],
    ['action.until: want a moment up to the year 9999', { ...freeze, until: -1e300 }],
    ['action.reason: want at most 2000 characters', { ...freeze, reason: 'x'.repeat(2_001) }],
    ['action.reason: want whole characters', { ...freeze, reason: 'it is \ud83d' }],
    ['action.packages: want at most 600 packages', { ...upgrade, packages: many }],
    ['action.packages.0.name: want a package', { ...upgrade, packages: [wanted('x'.repeat(129))] }],
    ['action.packages.0.name: want a package', { ...upgrade, packages: [wanted('-o')] }],
    ['action.packages.0.version: want a version', { ...upgrade, packages: [wanted('a', '1 2')] }],
    ['action.id: want at most 200', { action: 'unfreeze', id: 'x'.repeat(201) }],
    ['action.zone: want a zone', { action: 'host-add', hostId: 'h1', zone: '', cap: null }],
    ['actor: want at most 200 characters', freeze, 'x'.repeat(201)],
    ['actor: want whole characters', freeze, '\udc00'],
  ];
  test.each(refused.map(([error, action, actor]) => ({ error, action, actor })))(
    '$error',
    async ({ error, action, actor }) => {
      const [status, said] = await asked(action, actor);
      expect([status, said]).toEqual([400, expect.stringContaining(error)]);
      expect(said.length).toBeLessThan(500);
    },
  );

  test('an upgrade of the most and longest packages fits into a job, and a freeze lasts to the last moment', () => {
    const longest = 'x'.repeat(128);
    const packages = Array.from({ length: 600 }, () => wanted(longest, longest));
    const read = OperatorAction.parse({ ...upgrade, packages });
    expect(JSON.stringify(read).length).toBeLessThan(maxJobBytes - 50_000);
    const here = scene([web()]);
    expect(here.act({ action: 'freeze', reason: '', until: 253_402_300_799_999 }).answer).toEqual({
      ...{ ok: true, id: expect.any(String) },
      text: expect.stringContaining('frozen until 9999-12-31T23:59:59.999Z'),
    });
  });
});
