import { fc } from '@fast-check/jest';
import { expect, test } from '@jest/globals';
import { apiOf } from '../api/api-of.ts';
import { observed, scene, view, web } from '../core/coordinator/fleet-scene.ts';
import type { Scene } from '../core/coordinator/fleet-scene.ts';
import { isLong, mutatedBytes, mutatedJson } from './mutations.ts';

/** Requests of the API, changed at random: always the same few, or many others (`npm run test:unit:long`). */
const runs = isLong ? { numRuns: 20_000 } : { numRuns: 200, seed: 4 };

const container = 'h1/web-1';
const wanted = { name: 'libssl3', want: 'exact', version: '3.0.17-1' };
const actions: object[] = [
  ...['approve', 'decline', 'stop'].map((action) => ({ action, waveId: 'w1' })),
  { action: 'pause', level: { level: 'service', service: 'web' }, reason: 'lunch' },
  { action: 'resume', level: { level: 'host', hostId: 'h1' } },
  { action: 'retry', scope: { of: 'container', container } },
  { action: 'freeze', reason: 'holidays', until: 1_800_000_000_000 },
  { action: 'unfreeze', id: 'f1' },
  { action: 'park', container },
  { action: 'restart', containers: [container], what: 'restart of web' },
  { action: 'upgrade', hosts: ['h1'], mode: 'packages', packages: [wanted], allowRemove: false },
  { action: 'allow-outage', waveId: 'w1', service: 'web' },
  { action: 'host-add', hostId: 'h2', zone: 'rack-1', cap: 2 },
  { action: 'host-exclude', hostId: 'h1', fenced: true, reason: 'off' },
  { action: 'host-remove', hostId: 'h1' },
];
const posts: [string, object][] = [
  ...actions.map((action): [string, object] => ['/v1/actions', { actor: 'ann', action }]),
  ['/v1/keys', { actor: 'ann', hostId: 'h1', change: { kind: 'add', publicKey: 'MCow' } }],
  ['/v1/redis-users', { actor: 'ann', hostId: 'h1', passwordSha256: 'a'.repeat(64) }],
  ['/v1/feeds/debian', { actor: 'ann', change: 'poll' }],
];

const host = (): Scene => {
  const here = scene([web()]);
  here.report('h1', observed([view('web-1', { stale: [] })]));
  return here;
};

/** A change is made or refused with a reason; what is refused has changed nothing. */
const expectAnswered = (
  here: Scene,
  before: unknown,
  { statusCode, body }: { statusCode: number; body: string },
): void => {
  expect([200, 400, 404, 409, 413, 414, 415]).toContain(statusCode);
  if (statusCode === 200) return;
  const { error } = JSON.parse(body) as { error: unknown };
  expect(error).toEqual(expect.stringMatching(/./));
  expect(here.fleet).toEqual(before);
};

test('a request to change something is carried out, or refused with a reason and nothing changed', async () => {
  const changed = fc.constantFrom(...posts).chain(([url, body]) => {
    const text = JSON.stringify(body);
    const bytes = mutatedBytes(Buffer.from(text)).map((one) => one.toString());
    return fc.tuple(fc.constant(url), fc.oneof(mutatedJson(text), mutatedJson(text), bytes));
  });
  await fc.assert(
    fc.asyncProperty(changed, async ([url, payload]) => {
      const here = host();
      const before = structuredClone(here.fleet);
      const headers = { 'content-type': 'application/json' };
      const answer = await apiOf(here).inject({ method: 'POST', url, headers, payload });
      expectAnswered(here, before, answer);
      // Whatever was taken, the fleet lives with it.
      if (answer.statusCode === 200) here.step({ kind: 'tick' });
    }),
    runs,
  );
});

test('any path and query is answered, and changes nothing', async () => {
  const paths = [
    ...['/v1/status', '/v1/hosts', '/v1/waves/w1', '/v1/containers/h1/web-1', '/v1/plan'],
    ...['/v1/audit?limit=10&after=0&since=2026-01-01T00:00:00Z&wave=w1', '/v1/inventory/h1'],
    ...['/v1/advisories/DSA-1-1/plan', '/v1/audit/keys'],
  ];
  const changed = fc
    .constantFrom(...paths)
    .chain((path) => mutatedBytes(Buffer.from(path)))
    .map((bytes) => `/${bytes.toString('latin1').replace(/^\/+|[^!-~]/g, '')}`)
    // Answered without end: it tells of changes.
    .filter((url) => url.length < 20_000 && !url.startsWith('/v1/changes'));
  const here = host();
  const before = structuredClone(here.fleet);
  const api = apiOf(here);
  await fc.assert(
    fc.asyncProperty(changed, async (url) => {
      expectAnswered(here, before, await api.inject({ method: 'GET', url }));
    }),
    runs,
  );
  expect(here.fleet).toEqual(before);
});
