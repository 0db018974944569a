import { describe, expect, test } from '@jest/globals';
import { windowOpen } from '../../../src/core/coordinator/may-grant.ts';
import type { Commands } from '../../../src/core/coordinator/step.ts';
import { ended, observed, scene, upgradedScene, view, web } from './fleet-scene.ts';
import type { Scene } from './fleet-scene.ts';

const names = ['web-1', 'web-2', 'web-3', 'web-4'];
const open = { canaries: 0, maxFailures: 9, hostCap: 9 };

const finish = (
  here: Scene,
  verification: 'verified' | 'stale' | 'shadowed' | 'unknown',
  more = {},
) => {
  const [grant] = here.fleet.grants.values();
  const name = grant?.container?.split('/')[1] ?? '';
  return here.report(grant?.host ?? '', {
    kind: 'restart-finished',
    grantId: grant?.id ?? '',
    outcome: 'done',
    verification,
    reason: '',
    steps: [],
    container: view(name, { stale: [], ...more }),
  });
};

describe('the daily window', () => {
  test.each([
    [60, 120, 59, false],
    [60, 120, 60, true],
    [60, 120, 120, false],
    [1320, 300, 1380, true],
    [1320, 300, 299, true],
    [1320, 300, 300, false],
    [1320, 300, 720, false],
  ])('from %i to %i at %i: %s', (fromMinute, toMinute, minute, expected) => {
    const { fleet } = scene([], { window: { fromMinute, toMinute } });
    expect(windowOpen(fleet, minute)).toBe(expected);
  });

  test('nothing is granted outside of it, and all goes on when it opens', () => {
    const here = upgradedScene(
      [web()],
      { h1: names },
      { window: { fromMinute: 1320, toMinute: 300 } },
    );
    expect(here.grants()).toEqual([]);
    here.wall = { ms: 0, minuteOfDay: 1325 };
    here.step({ kind: 'tick' });
    expect(here.grants()).toEqual(['h1/web-1']);
  });
});

describe('what forbids a grant', () => {
  test.each<[string, Parameters<typeof web>[0], Partial<Scene['fleet']['settings']>, number]>([
    ['nothing', {}, open, 1],
    ['a larger budget', { budget: { maxUnavailable: '50%' } }, open, 2],
    ['a budget of 0', { budget: { minAvailable: '100%' } }, open, 0],
    ['the cap of the host', { budget: { maxUnavailable: 4 } }, { ...open, hostCap: 3 }, 3],
    ['the cap of the zone', { budget: { maxUnavailable: 4 } }, { ...open, zoneCap: 2 }, 2],
    ['the cap of the fleet', { budget: { maxUnavailable: 4 } }, { ...open, fleetCap: 1 }, 1],
    ['the canary', { budget: { maxUnavailable: 4 } }, { hostCap: 9 }, 1],
    [
      'two canaries',
      { budget: { maxUnavailable: 4 } },
      { hostCap: 9, canaries: 2, maxFailures: 1 },
      2,
    ],
    ['observing only', { mode: 'observe' }, open, 0],
    ['approval', { mode: 'approve' }, open, 0],
    [
      'a platform that is observed only',
      {},
      { ...open, platformModes: { 'debian-12': 'observe' } },
      0,
    ],
  ])('%s', (_, service, settings, granted) => {
    expect(upgradedScene([web(service)], { h1: names }, settings).grants()).toHaveLength(granted);
  });

  test('the cap of a zone counts its hosts together', () => {
    const services = [web({ budget: { maxUnavailable: 4 } })];
    const hosts = { h1: ['web-1'], h2: ['web-2'], h3: ['web-3'] };
    const here = upgradedScene(
      services,
      hosts,
      { ...open, zoneCap: 1 },
      { h1: 'a', h2: 'a', h3: 'b' },
    );
    expect(here.grants()).toEqual(['h1/web-1', 'h3/web-3']);
  });

  test('approval by a person', () => {
    const here = upgradedScene([web({ mode: 'approve' })], { h1: names });
    const [waveId = ''] = here.fleet.waves.keys();
    const { audits } = here.act({ action: 'approve', waveId });
    expect(here.grants()).toEqual(['h1/web-1']);
    expect(audits.map(({ action, actor }) => `${action} ${actor}`)).toContain('wave-approved ann');
  });

  test('containers found stale without a known upgrade wait for approval, whatever the mode (R34)', () => {
    const here = scene([web()]);
    const { notices } = here.report('h1', observed([view('web-1')]));
    expect(here.grants()).toEqual([]);
    expect(notices.map(({ kind }) => kind)).toEqual(['needs-approval']);
    const [wave] = here.fleet.waves.values();
    expect(wave?.cause.kind).toBe('found-stale');
    here.act({ action: 'approve', waveId: wave?.id ?? '' });
    expect(here.grants()).toEqual(['h1/web-1']);
  });

  test('two services that claim one container: nothing is granted for it (R18)', () => {
    const other = web({ name: 'other', match: [{ container: 'web-1' }] });
    expect(upgradedScene([web(), other], { h1: ['web-1', 'web-2'] }).grants()).toEqual([
      'h1/web-2',
    ]);
  });

  test('an opt-out', () => {
    const here = scene([web()]);
    here.report('h1', observed([view('web-1', { stale: [] })]));
    here.upgraded('h1', [view('web-1', { optOut: { reason: 'migration', until: null } })]);
    expect(here.grants()).toEqual([]);
  });

  test('a freeze holds until it is lifted or over, and retries too (R26)', () => {
    const here = upgradedScene([web()], { h1: names });
    const { records } = here.act({ action: 'freeze', reason: 'sale', until: 60_000 });
    expect(records[0]?.record.freezes[0]).toMatch(/^sale/);
    expect([...here.fleet.grants.values()][0]?.voidAsked).toBe('freeze: sale');
    const [grant] = here.fleet.grants.values();
    here.report('h1', ended(grant?.id ?? '', 'failed'));
    const scope = { of: 'container', container: 'h1/web-1' } as const;
    expect(here.act({ action: 'retry', scope }).answer).toMatchObject({ ok: false });
    here.wall = { ms: 60_001, minuteOfDay: 0 };
    expect(here.act({ action: 'retry', scope }).answer).toMatchObject({ ok: true });
  });

  test('a failed grant of a stopped wave can still be retried (R26)', () => {
    const here = upgradedScene([web()], { h1: names });
    const [grant] = here.fleet.grants.values();
    here.report('h1', ended(grant?.id ?? '', 'failed'));
    here.act({ action: 'stop', waveId: grant?.waveId ?? '' });
    expect([...here.fleet.waves.values()][0]?.state).toBe('stopped');
    const scope = { of: 'host', hostId: 'h1' } as const;
    const { sends } = here.act({ action: 'retry', scope });
    expect(sends).toHaveLength(1);
  });

  describe('names what was patched, so that copies of other files do not count', () => {
    const patched = ({ sends }: Commands) =>
      sends.flatMap((send) =>
        send.kind === 'restart-batch' ? send.payload.grants.map((order) => order.patched) : [],
      );
    const begun = () => {
      const here = scene([web()]);
      here.report('h1', observed([view('web-1', { stale: [] })]));
      return { here, first: here.upgraded('h1', [view('web-1')]) };
    };

    test('by the cause of the wave', () => {
      expect(patched(begun().first)).toEqual([['libssl3']]);
    });

    test('a retry as well, though its wave is over', () => {
      const { here } = begun();
      const [grant] = here.fleet.grants.values();
      here.report('h1', ended(grant?.id ?? '', 'failed'));
      here.act({ action: 'stop', waveId: grant?.waveId ?? '' });
      const scope = { of: 'host', hostId: 'h1' } as const;
      expect(patched(here.act({ action: 'retry', scope }))).toEqual([['libssl3']]);
    });

    test('waves that this restart is not for do not count', () => {
      const here = scene([web({ budget: { maxUnavailable: 2 } })]);
      here.report('h1', observed(['web-1', 'web-2'].map((name) => view(name, { stale: [] }))));
      const both = ['h1/web-1', 'h1/web-2'];
      here.act({ action: 'restart', containers: both, what: 'a test' });
      const [first, second] = here.fleet.grants.values();
      here.report('h1', {
        ...{ kind: 'restart-finished', grantId: first?.id ?? '', outcome: 'done' },
        ...{ verification: 'verified', reason: '', steps: [] },
        container: view('web-1', { stale: [] }),
      });
      here.report('h1', ended(second?.id ?? '', 'failed'));
      expect(patched(here.upgraded('h1', [view('web-1')]))).toEqual([['libssl3']]);
    });

    test('asked for by hand: nobody knows', () => {
      const here = scene([web()]);
      here.report('h1', observed([view('web-1', { stale: [] })]));
      const turn = here.act({ action: 'restart', containers: ['h1/web-1'], what: 'a test' });
      expect(patched(turn)).toEqual([null]);
    });
  });

  test('an outage that an operator allows (R17)', () => {
    const here = upgradedScene([web({ budget: { maxUnavailable: 0 } })], { h1: names }, open);
    const [waveId = ''] = here.fleet.waves.keys();
    const { audits } = here.act({ action: 'allow-outage', waveId, service: 'web' });
    expect(here.grants()).toHaveLength(4);
    expect(audits.map(({ action }) => action)).toContain('outage-allowed');
  });

  test('a broken member may go beyond the budget where the service says so, and the agent is told to look', () => {
    const here = upgradedScene([web({ restartBroken: true })], { h1: names }, open);
    expect(here.grants()).toEqual(['h1/web-1']);
    const broken = view('web-3', { health: 'unhealthy' });
    const { sends } = here.report('h1', observed([broken], { whole: false }));
    expect(here.grants()).toEqual(['h1/web-1', 'h1/web-3']);
    const [send] = sends;
    expect(send?.kind === 'restart-batch' && send.payload.grants[0]?.onlyIfBroken).toBe(true);
  });
});

describe('how a restart ends', () => {
  test('verified: the next one is granted', () => {
    const here = upgradedScene([web()], { h1: names });
    finish(here, 'verified');
    expect(here.grants()).toEqual(['h1/web-2']);
  });

  test('still stale: a failed attempt, and not again before a newer transaction (R27, R32)', () => {
    const here = upgradedScene([web()], { h1: ['web-1'] });
    const { notices } = finish(here, 'stale', { stale: view('').stale });
    expect(notices.map(({ kind }) => kind)).toEqual(['failed', 'paused']);
    expect(here.grants()).toEqual([]);
    here.report('h1', observed([view('web-1')]));
    const [wave] = here.fleet.waves.values();
    expect(wave).toMatchObject({ state: 'open', pausedBy: expect.stringContaining('old code') });
    const level = { level: 'wave', waveId: wave?.id ?? '' } as const;
    const { notices: told } = here.act({ action: 'resume', level });
    expect(told.map(({ text }) => text)).toEqual([expect.stringContaining('is finished: 1 stale')]);
    here.upgraded('h1', [view('web-1')]);
    expect(here.grants()).toEqual(['h1/web-1']);
  });

  test('shadowed: no failure, and not again for the same cause', () => {
    const here = upgradedScene([web()], { h1: ['web-1'] });
    finish(here, 'shadowed', { stale: view('').stale });
    expect([...here.fleet.waves.values()].map(({ failures, state }) => [failures, state])).toEqual([
      [0, 'finished'],
    ]);
    here.report('h1', observed([view('web-1')]));
    expect(here.grants()).toEqual([]);
  });

  test('unknown: the wave pauses and says so', () => {
    const here = upgradedScene([web()], { h1: names });
    finish(here, 'unknown');
    expect([...here.fleet.waves.values()][0]?.pausedBy).toMatch(/cannot be read/);
  });

  test('an end without a state leaves the container unavailable until it is seen (R10)', () => {
    const here = upgradedScene([web()], { h1: ['web-1', 'web-2'] });
    const [grant] = here.fleet.grants.values();
    here.report('h1', ended(grant?.id ?? '', 'refused'));
    expect(here.grants()).toEqual([]);
    here.report('h1', observed([view('web-1'), view('web-2')]));
    expect(here.grants()).toEqual(['h1/web-2']);
  });

  test('several grants past their deadline pause the wave as soon as they exceed the threshold (R20, R32)', () => {
    const services = [web({ budget: { maxUnavailable: 4 } })];
    const here = upgradedScene(
      services,
      { h1: names },
      { ...open, maxFailures: 2, deadlineMs: 60_000 },
    );
    expect(here.grants()).toHaveLength(4);
    here.now += 60_000;
    const { notices } = here.step({ kind: 'tick' });
    expect([...here.fleet.waves.values()][0]?.pausedBy).toMatch(/does not answer/);
    expect(notices.filter(({ kind }) => kind === 'paused')).toHaveLength(1);
    expect(here.grants()).toHaveLength(4);
  });
});
