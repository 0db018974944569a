import { expect, test } from '@jest/globals';
import { newFeedState } from '../../../src/core/advisories/feed-state.ts';
import { feedAlerts, fleetAlerts } from '../../../src/core/coordinator/standing-alerts.ts';
import { ended, observed, scene, upgradedScene, view, web } from './fleet-scene.ts';
import type { Scene } from './fleet-scene.ts';

const texts = (here: Scene): string[] =>
  fleetAlerts(here.fleet, { now: here.now, wall: here.wall }).map(({ text }) => text);

test('a grant past its deadline is an alert since then, until its agent answers', () => {
  const here = upgradedScene([web()], { h1: ['web-1'] });
  const [grant] = here.fleet.grants.values();
  if (grant === undefined) throw new Error('nothing was granted');
  expect(texts(here)).toEqual([]);
  here.now = grant.deadline + 5_000;
  here.step({ kind: 'tick' });
  expect(fleetAlerts(here.fleet, { now: here.now, wall: here.wall })).toEqual([
    {
      since: here.wall.ms - 5_000,
      text: 'h1/web-1 does not answer: its grant is past its deadline',
    },
  ]);
  here.report('h1', ended(grant.id, 'void'));
  expect(texts(here)).toEqual([]);
});

test('an upgrade past its deadline says what its agent is at, pauses its wave, and its host is granted nothing', () => {
  const here = scene([web()]);
  here.report('h1', observed([view('web-1', { stale: [] })]));
  here.act({
    ...{ action: 'upgrade', hosts: ['h1'], mode: 'security', packages: [], allowRemove: false },
  });
  const [grant] = here.fleet.grants.values();
  if (grant?.kind !== 'upgrade') throw new Error('no upgrade was ordered');
  const waits = [{ grantId: grant.id, reason: 'at work since 10:41: the postinst of tzdata' }];
  const atWork = { atRest: false, atRestReason: 'apt-get (pid 812)', waits };
  here.later(grant.deadline - here.now);
  here.report('h1', observed([view('web-1', { stale: [] })], atWork));
  here.step({ kind: 'tick' });
  const text =
    'the upgrade of h1 is past its deadline and not over: at work since 10:41: the postinst of tzdata';
  expect(texts(here)).toEqual([text]);
  expect([...here.fleet.waves.values()].map(({ pausedBy }) => pausedBy)).toEqual([text]);
  here.report('h1', observed([view('web-1')], atWork));
  expect(here.grants()).toEqual(['h1']);
  here.report('h1', observed([view('web-1')], { atRest: false, atRestReason: 'apt-get' }));
  expect(texts(here)).toEqual(['the upgrade of h1 is past its deadline and not over']);
});

test('a host gate that does not pass is one since it first did not, until it passes', () => {
  const here = upgradedScene([web()], { h1: ['web-1'] });
  const gate = (reason: string | null) =>
    here.report(
      'h1',
      observed([view('web-1')], { gate: { ok: reason === null, reason: reason ?? '' } }),
    );
  const first = here.wall.ms;
  gate('no network');
  here.wall = { ...here.wall, ms: first + 60_000 };
  gate('no network, no DNS');
  expect(fleetAlerts(here.fleet, { now: here.now, wall: here.wall })).toEqual([
    { since: first, text: 'the host gate of h1 did not pass: no network, no DNS' },
  ]);
  gate(null);
  expect(texts(here)).toEqual([]);
});

test('a lost journal is one until what it held is answered for', () => {
  const here = upgradedScene([web()], { h1: ['web-1'] });
  const [grant] = here.fleet.grants.values();
  const id = grant?.id ?? '';
  here.report('h1', { kind: 'restart-progress', grantId: id, step: 'stopping', at: 0 });
  const life = { incarnation: 'life-2' };
  here.report('h1', observed([view('web-1')]), { ...life, seq: 1 });
  expect(fleetAlerts(here.fleet, { now: here.now, wall: here.wall })).toEqual([
    { since: here.wall.ms, text: 'h1 lost its journal: its grants are asked for again' },
  ]);
  here.report('h1', ended(id, 'void'), life);
  expect(texts(here)).toEqual([]);
});

test('repositories that cannot be read are one for all hosts with the same problem', () => {
  const ids = ['h1', 'h2', 'h3', 'h4', 'h5'];
  const here = scene(
    [],
    {},
    ids.map((id) => ({ id })),
  );
  const tell = (unread: (id: string) => string | null): string[] => {
    const hosts = ids.map((id) => ({ id, transaction: 0, unread: unread(id) }));
    here.step({ kind: 'needs', told: [{ hosts, needs: [] }] });
    return texts(here);
  };
  const text = (of: string, why: string): string =>
    `the repositories of ${of} cannot be read, so that fixes are not seen there: ${why}`;
  expect(tell((id) => (id === 'h2' ? 'no key' : 'no network'))).toEqual([
    text('h1, h3, h4 and 1 more', 'no network'),
    text('h2', 'no key'),
  ]);
  here.act({ action: 'host-exclude', hostId: 'h2', fenced: true, reason: 'x' });
  expect(tell((id) => (id === 'h2' ? 'no key' : null))).toEqual([]);
});

test('what agents cannot do is one for all hosts that say the same, until they do not', () => {
  const here = scene(
    [],
    {},
    ['h1', 'h2', 'h3'].map((id) => ({ id })),
  );
  const tell = (host: string, ...problems: string[]): void => {
    here.report(host, observed([], { problems }));
  };
  const unreadable = 'the installed packages cannot be read: no database';
  tell('h1', unreadable, 'the scan failed: \u001b[2J');
  tell('h2', unreadable);
  tell('h3');
  expect(texts(here)).toEqual([
    `the agent of h1, h2 says: ${unreadable}`,
    'the agent of h1 says: the scan failed: \\u001b[2J',
  ]);
  tell('h1');
  expect(texts(here)).toEqual([`the agent of h2 says: ${unreadable}`]);
  here.act({ action: 'host-exclude', hostId: 'h2', fenced: true, reason: 'x' });
  expect(texts(here)).toEqual([]);
});

test('what agents say is bounded, and a thing said twice is one', () => {
  const ids = ['h1', 'h2', 'h3', 'h4', 'h5', 'h6'];
  const here = scene(
    [],
    {},
    ids.map((id) => ({ id })),
  );
  for (const id of ids)
    here.report(
      id,
      observed([], { problems: ['a', 'b', 'c', 'd'].map((one) => `${one} of ${id}`) }),
    );
  const all = texts(here);
  expect(all).toHaveLength(21);
  expect(all.at(-1)).toBe('agents say 4 other things that are wrong: see their own logs');
  for (const id of ids) here.report(id, observed([]));
  here.report('h1', observed([], { problems: ['x', ' ', 'x', ''] }));
  expect(texts(here)).toEqual(['the agent of h1 says: x']);
});

test('a feed is one while it is held back or silent', () => {
  const feed = {
    ...newFeedState({ name: 'debian', source: 'debian-lists', place: '/mirror' }, 1_000),
    ...{ silent: false, namedBy: null, notFetched: null },
  };
  const held = { version: '2', had: 900, has: 3, since: 7_000 };
  expect(feedAlerts([feed])).toEqual([]);
  expect(feedAlerts([{ ...feed, held, error: 'held back: it had 900' }])).toEqual([
    { since: 7_000, text: 'feed debian is held back: it had 900' },
  ]);
  expect(feedAlerts([{ ...feed, silent: true, error: 'refused' }])).toEqual([
    { since: 1_000, text: 'feed debian is silent: refused' },
  ]);
});
