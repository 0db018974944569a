import { describe, expect, test } from '@jest/globals';
import { serviceState } from '../../../src/core/coordinator/availability.ts';
import { explainContainer } from '../../../src/core/coordinator/explain.ts';
import { planRestarts } from '../../../src/core/coordinator/plan.ts';
import { fleetAlerts } from '../../../src/core/coordinator/standing-alerts.ts';
import type { ContainerView } from '../../../src/core/messages.ts';
import type { ServiceSettings } from '../../../src/core/service-settings.ts';
import { ended, observed, scene, upgradedScene, view, web } from './fleet-scene.ts';
import type { Scene } from './fleet-scene.ts';

const never = { reason: 'holds a cache', until: null };
const moment = ({ now, wall }: Scene) => ({ now, wall });
const dead = (name: string, more: Partial<ContainerView> = {}): ContainerView =>
  view(name, { state: 'stopped', instance: null, stale: [], died: true, ...more });
const see = (here: Scene, ...views: ContainerView[]) =>
  here.report('h1', observed(views, { whole: false }));

/** A wave of which the canary is behind it. */
const upgraded = (names: string[], more: Partial<ServiceSettings> = {}): Scene =>
  upgradedScene([web(more)], { h1: names }, { canaries: 0, hostCap: 3 });

const texts = (here: Scene): string[] =>
  fleetAlerts(here.fleet, moment(here)).map(({ text }) => text);
const grantOf = ({ fleet }: Scene, id: string) =>
  [...fleet.grants.values()].find(({ container }) => container === id);
const memberOf = ({ fleet }: Scene, id: string) =>
  [...fleet.waves.values()].map(({ members }) => members.get(id))[0];
const answer = (here: Scene, id: string): string =>
  explainContainer(here.fleet, id, moment(here))?.answer ?? '';

/** The restart of a container that is under way comes to a good end. */
const verified = (here: Scene, name: string): void => {
  here.report('h1', {
    ...{ kind: 'restart-finished', grantId: grantOf(here, `h1/${name}`)?.id ?? '', reason: '' },
    ...{ outcome: 'done', verification: 'verified', steps: [] },
    container: view(name, { stale: [] }),
  });
};

describe('a container that died while a wave is to restart it (R25)', () => {
  test('is started as its restart, when its turn comes', () => {
    const here = upgraded(['web-1', 'web-2', 'web-3']);
    expect(here.grants()).toEqual(['h1/web-1']);
    const { notices } = see(here, dead('web-3'));
    expect(notices).toContainEqual({
      ...{ kind: 'alert', waveId: null },
      text: 'h1/web-3 is down: its LXC monitor was killed, and it died with that; wave id1 starts it; what that waits for: groundswell why h1/web-3',
    });
    expect(see(here, dead('web-3')).notices).toEqual([]);
    expect(grantOf(here, 'h1/web-3')).toMatchObject({ expect: { kind: 'died' }, byHand: false });
    expect(grantOf(here, 'h1/web-3')?.why).toContain('its LXC monitor was killed');
    verified(here, 'web-3');
    expect(memberOf(here, 'h1/web-3')).toMatchObject({ state: 'verified', attempts: 1 });
    expect(texts(here)).toEqual([]);
  });

  test('counts as unavailable, so that nothing else begins, and what has not begun is asked back', () => {
    const here = upgraded(['web-1', 'web-2', 'web-3']);
    const first = grantOf(here, 'h1/web-1');
    see(here, dead('web-3'));
    expect(serviceState(here.fleet, 'web', here.now).unavailable.get('h1/web-3')).toBe(
      'being restarted',
    );
    expect(first?.voidAsked).toContain('2 of 1 unavailable');
    here.report('h1', ended(first?.id ?? '', 'void', view('web-1')));
    expect(here.grants()).toEqual(['h1/web-3']);
    expect(grantOf(here, 'h1/web-3')?.voidAsked).toBeNull();
  });

  test('is started though others of its service are away, also where its budget is 0: nothing is stopped for it', () => {
    for (const budget of [{ maxUnavailable: 1 }, { maxUnavailable: 0 }]) {
      const here = upgraded(['web-1', 'web-2', 'web-3'], { budget });
      see(here, dead('web-2'), dead('web-3'));
      expect(here.grants()).toEqual(expect.arrayContaining(['h1/web-2', 'h1/web-3']));
    }
  });

  test('is started anew where it was restarted before by that wave', () => {
    const here = upgraded(['web-1', 'web-2']);
    verified(here, 'web-1');
    expect(memberOf(here, 'h1/web-1')?.state).toBe('verified');
    see(here, dead('web-1'));
    expect(grantOf(here, 'h1/web-1')).toMatchObject({ expect: { kind: 'died' } });
  });

  test('waits for the canary like each of its wave', () => {
    const here = upgradedScene([web()], { h1: ['web-1', 'web-2'] });
    const canary = grantOf(here, 'h1/web-1')?.id ?? '';
    here.report('h1', { kind: 'restart-progress', grantId: canary, step: 'stopping', at: 0 });
    see(here, dead('web-2'));
    expect([here.grants(), answer(here, 'h1/web-2')]).toEqual([
      ['h1/web-1'],
      'waiting for the canary',
    ]);
    verified(here, 'web-1');
    expect(here.grants()).toEqual(['h1/web-2']);
  });

  test.each<[string, (here: Scene) => void, RegExp]>([
    [
      'a freeze',
      (here) => here.act({ action: 'freeze', reason: 'holidays', until: null }),
      /freeze: holidays/,
    ],
    [
      'a pause of the fleet',
      (here) => here.act({ action: 'pause', level: { level: 'fleet' }, reason: 'a look' }),
      /fleet is paused by ann/,
    ],
  ])('waits for the end of %s, and says so', (_, hold, reason) => {
    const here = upgraded(['web-1', 'web-2']);
    hold(here);
    see(here, dead('web-2'));
    expect(grantOf(here, 'h1/web-2')).toBeUndefined();
    expect(answer(here, 'h1/web-2')).toMatch(reason);
    expect(planRestarts(here.fleet, moment(here), () => 0).entries).toContainEqual(
      expect.objectContaining({ container: 'h1/web-2', impossible: null }),
    );
  });

  test.each<[string, Partial<ContainerView>, string]>([
    ['is opted out', { optOut: never }, 'opted-out'],
    ['is parked', { parked: { reason: 'disk', by: 'op' } }, 'not-needed'],
  ])('is left down where it %s', (_, more, state) => {
    const here = upgraded(['web-1', 'web-2']);
    see(here, dead('web-2', more));
    expect(memberOf(here, 'h1/web-2')?.state).toBe(state);
    expect(grantOf(here, 'h1/web-2')).toBeUndefined();
  });

  test('is left down in mode observe, and waits for a person’s word in mode approve', () => {
    for (const [mode, state] of [
      ['observe', 'observed'],
      ['approve', 'pending'],
    ] as const) {
      const here = upgraded(['web-1', 'web-2'], { mode });
      see(here, dead('web-2'));
      expect([memberOf(here, 'h1/web-2')?.state, here.grants()]).toEqual([state, []]);
    }
  });
});

test('one that died and is in no wave is told with what starts it, and a person’s word does', () => {
  const here = scene([web()]);
  here.report('h1', observed([view('web-1', { stale: [] }), view('web-2', { stale: [] })]));
  see(here, dead('web-2'));
  expect([here.grants(), texts(here)]).toEqual([
    [],
    [
      'h1/web-2 is down: its LXC monitor was killed, and it died with that; groundswell restart h1/web-2 starts it, groundswell park h1/web-2 leaves it down',
    ],
  ]);
  expect(answer(here, 'h1/web-2')).toContain('unavailable: its LXC monitor was killed');
  here.act({ action: 'restart', containers: ['h1/web-2'], what: 'web-2' });
  expect(grantOf(here, 'h1/web-2')).toMatchObject({ expect: { kind: 'died' }, byHand: true });
  expect(texts(here)[0]).toContain('wave id');
  see(here, view('web-2', { stale: [] }));
  expect(texts(here)).toEqual([]);
});

test('one on another root that died is its owner’s to look after', () => {
  const here = scene([web()]);
  const other = { onHostRoot: false, rootNote: 'it does not stand on the host root' };
  here.report('h1', observed([view('web-1', { stale: [], ...other })]));
  expect(see(here, dead('web-1', other)).notices).toEqual([]);
  expect(texts(here)).toEqual([]);
});
