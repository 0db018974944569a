import { describe, expect, test } from '@jest/globals';
import { explainContainer } from '../../../src/core/coordinator/explain.ts';
import { planRestarts } from '../../../src/core/coordinator/plan.ts';
import { ended, observed, scene, upgradedScene, view, web } from './fleet-scene.ts';
import type { Scene } from './fleet-scene.ts';

const why = (here: Scene, id = 'h1/web-1'): string =>
  explainContainer(here.fleet, id, { now: here.now, wall: here.wall })?.answer ?? '';
const waveIds = ({ fleet }: Scene): string[] => [...fleet.waves.keys()];
const states = ({ fleet }: Scene): string[] => [...fleet.waves.values()].map(({ state }) => state);
const stale = (here: Scene): ReturnType<Scene['step']> =>
  here.report('h1', observed([view('web-1'), view('web-2')]));

const upgradedAgain = (here: Scene, source: string): void => {
  here.report('h1', {
    ...{ kind: 'host-upgraded', gate: { ok: true, reason: '' }, origin: { by: 'outside' } },
    transaction: (here.fleet.hosts.get('h1')?.transactions ?? 0) + 1,
    changes: [{ name: source, arch: 'amd64', source, from: '1', to: '2' }],
    containers: [view('web-1'), view('web-2')],
  });
};

/** Two waves of two packages, both waiting for approval. */
const twoWaves = (): { here: Scene; first: string; second: string } => {
  const here = upgradedScene([web({ mode: 'approve' })], { h1: ['web-1', 'web-2'] });
  upgradedAgain(here, 'zlib');
  const [first = '', second = ''] = waveIds(here);
  return { here, first, second };
};

describe('a decision against a wave concerns that wave alone', () => {
  test.each([
    ['the first is declined', 'decline', 0],
    ['the second is declined', 'decline', 1],
    ['the first is stopped', 'stop', 0],
    ['the second is stopped', 'stop', 1],
  ] as const)('%s, the other is approved and goes on', (_, action, at) => {
    const { here, first, second } = twoWaves();
    const [against, other] = at === 0 ? [first, second] : [second, first];
    here.act({ action, waveId: against });
    expect(here.grants()).toEqual([]);
    expect(why(here)).toBe(`waiting for approval: groundswell approve ${other}`);
    here.act({ action: 'approve', waveId: other });
    expect(here.grants()).toEqual(['h1/web-1']);
  });

  test('a wave by hand that is stopped leaves the wave of a package alone', () => {
    const here = scene([web()]);
    here.report('h1', observed([view('web-1', { stale: [] }), view('web-2', { stale: [] })]));
    here.act({ action: 'pause', level: { level: 'fleet' }, reason: 'lunch' });
    here.upgraded('h1', [view('web-1'), view('web-2')]);
    here.act({ action: 'restart', containers: ['h1/web-1'], what: 'web-1' });
    here.act({ action: 'stop', waveId: waveIds(here)[1] ?? '' });
    here.act({ action: 'resume', level: { level: 'fleet' } });
    expect(states(here)).toEqual(['open', 'stopped']);
    expect(here.grants()).toEqual(['h1/web-1']);
  });

  test('a wave by hand goes on, and so does one of a later package', () => {
    const { here, first, second } = twoWaves();
    here.act({ action: 'decline', waveId: first });
    here.act({ action: 'decline', waveId: second });
    upgradedAgain(here, 'curl');
    const third = waveIds(here)[2] ?? '';
    expect(why(here)).toBe(`waiting for approval: groundswell approve ${third}`);
    here.act({ action: 'restart', containers: ['h1/web-2'], what: 'web-2' });
    expect(here.grants()).toEqual(['h1/web-2']);
  });
});

describe('what was decided against', () => {
  test('is not found stale anew, and who decided it is said, with what restarts it', () => {
    const { here, first, second } = twoWaves();
    here.act({ action: 'decline', waveId: second });
    here.act({ action: 'decline', waveId: first });
    stale(here);
    expect(states(here)).toEqual(['declined', 'declined']);
    const text = `wave ${first} was declined by ann: groundswell restart h1/web-1`;
    expect(why(here)).toMatch(new RegExp(`^left as it is, ${text}; stale: process 812`));
    const { entries } = planRestarts(here.fleet, { now: here.now, wall: here.wall }, () => 1_000);
    expect(entries.map(({ container, impossible }) => [container, impossible])).toEqual([
      ['h1/web-1', text],
      ['h1/web-2', text.replace('web-1', 'web-2')],
    ]);
  });

  test('is not found anew where its grant was taken back by the stop either', () => {
    const here = upgradedScene([web()], { h1: ['web-1', 'web-2'] });
    const [grantId = ''] = here.fleet.grants.keys();
    here.act({ action: 'stop', waveId: waveIds(here)[0] ?? '' });
    here.report('h1', ended(grantId, 'void', view('web-1')));
    stale(here);
    expect(states(here)).toEqual(['stopped']);
    expect(why(here)).toContain('was stopped by ann');
  });

  test('is found again when packages have changed without a known upgrade of it', () => {
    const { here, first, second } = twoWaves();
    for (const waveId of [first, second]) here.act({ action: 'decline', waveId });
    here.upgraded('h1', []);
    stale(here);
    expect(states(here)).toEqual(['declined', 'declined', 'open']);
  });

  test('a stop of what a person asked for says nothing about the old code that was found meanwhile', () => {
    const here = scene([web({ mode: 'approve' })]);
    here.report('h1', observed([view('web-1', { stale: [] })]));
    here.act({ action: 'pause', level: { level: 'fleet' }, reason: '' });
    here.act({ action: 'restart', containers: ['h1/web-1'], what: 'web-1' });
    here.report('h1', observed([view('web-1')]));
    expect(states(here)).toEqual(['open']);
    here.act({ action: 'stop', waveId: waveIds(here)[0] ?? '' });
    here.report('h1', observed([view('web-1')]));
    expect(states(here)).toEqual(['stopped', 'open']);
  });
});

describe('a restart that came to nothing (R27)', () => {
  test('keeps no other wave of the container open: it is stale there as well, and retried in both', () => {
    const { here, first, second } = twoWaves();
    here.act({ action: 'approve', waveId: first });
    here.act({ action: 'approve', waveId: second });
    const [grantId = ''] = here.fleet.grants.keys();
    here.report('h1', {
      ...{ kind: 'restart-finished', grantId, outcome: 'done', reason: '', steps: [] },
      ...{ verification: 'stale', container: view('web-1') },
    });
    const there = (): unknown[] =>
      [...here.fleet.waves.values()].map(({ members }) => members.get('h1/web-1')?.state);
    expect(there()).toEqual(['stale', 'stale']);
    expect(why(here)).toContain('groundswell retry h1/web-1');
    here.act({ action: 'retry', scope: { of: 'container', container: 'h1/web-1' } });
    expect(there()).toEqual(['pending', 'pending']);
  });
});
