import type { ContainerView } from '../../../src/core/messages.ts';
import { describe, expect, test } from '@jest/globals';
import { allowedUnavailable, serviceState } from '../../../src/core/coordinator/availability.ts';
import type { Budget } from '../../../src/core/service-settings.ts';
import { observed, scene, view, web } from './fleet-scene.ts';

describe('R17: how many may be unavailable', () => {
  test.each<[Budget, number, number]>([
    [{ maxUnavailable: 1 }, 20, 1],
    [{ maxUnavailable: 5 }, 3, 3],
    [{ maxUnavailable: '25%' }, 7, 1],
    [{ maxUnavailable: '25%' }, 3, 0],
    [{ maxUnavailable: '100%' }, 3, 3],
    [{ maxUnavailable: 0 }, 9, 0],
    [{ minAvailable: 2 }, 3, 1],
    [{ minAvailable: 5 }, 3, 0],
    [{ minAvailable: '50%' }, 5, 2],
    [{ minAvailable: '0%' }, 5, 5],
  ])('%j of %i: %i', (budget, members, limit) => {
    expect(allowedUnavailable(budget, members)).toBe(limit);
  });
});

describe('R17: what counts as unavailable', () => {
  test.each<[string, Parameters<typeof view>[1], string | null]>([
    ['healthy', {}, null],
    ['unhealthy', { health: 'unhealthy', healthReason: '503' }, 'unhealthy: 503'],
    ['unknown health', { health: 'unknown', healthReason: '' }, 'its health is unknown'],
    [
      'unknown health with a reason',
      { health: 'unknown', healthReason: 'it has no address' },
      'its health is unknown: it has no address',
    ],
    ['frozen', { state: 'frozen' }, 'it is frozen'],
    ['stopped', { state: 'stopped', instance: null }, 'stopped'],
    ['stopped by its owner', { state: 'stopped', ownerStopped: true }, 'stopped by its owner'],
  ])('%s', (_, more, why) => {
    const here = scene([web()]);
    here.report('h1', observed([view('web-1', { stale: [] }), view('web-2', { stale: [] })]));
    here.report('h1', observed([view('web-1', { stale: [], ...more })], { whole: false }));
    const { unavailable } = serviceState(here.fleet, 'web', here.now);
    expect(unavailable.get('h1/web-1') ?? null).toBe(why);
    expect(unavailable.has('h1/web-2')).toBe(false);
  });

  test('a silent host’s containers are unavailable, and its word’s age is that of the record it echoes (R14)', () => {
    const here = scene([web()]);
    here.report('h1', observed([view('web-1', { stale: [] })]));
    const said = here.fleet.hosts.get('h1')?.recordN ?? 0;
    here.now += 80_000;
    here.step({ kind: 'record-wanted', host: 'h1' });
    here.report('h1', observed([view('web-1', { stale: [] })]), { echo: [1, 1, said] });
    expect(serviceState(here.fleet, 'web', here.now).unavailable.size).toBe(0);
    here.now += 20_000;
    expect(serviceState(here.fleet, 'web', here.now).unavailable.get('h1/web-1')).toBe(
      'its host is silent',
    );
  });

  test('what is stopped when first seen is parked and out of the count (R25)', () => {
    const here = scene([web({ budget: { maxUnavailable: '50%' } })]);
    const down = view('web-3', { state: 'stopped', instance: null, stale: [] });
    here.report('h1', observed([view('web-1'), view('web-2'), down]));
    const state = serviceState(here.fleet, 'web', here.now);
    expect([state.members.length, state.counted, state.limit]).toEqual([3, 2, 1]);
    here.report('h1', observed([view('web-3')], { whole: false }));
    expect(serviceState(here.fleet, 'web', here.now).counted).toBe(3);
  });

  test('a note on the host parks a container, and taking it back counts it again (R25)', () => {
    const here = scene([web()]);
    const counted = () => serviceState(here.fleet, 'web', here.now).counted;
    here.report('h1', observed([view('web-1'), view('web-2')]));
    const down: Partial<ContainerView> = {
      ...{ state: 'stopped', instance: null, stale: [], ownerStopped: true },
    };
    here.report('h1', observed([view('web-2', down)], { whole: false }));
    expect(counted()).toBe(2);
    const parked = { reason: 'disk replaced', by: 'op' };
    here.report('h1', observed([view('web-2', { ...down, parked })], { whole: false }));
    expect(counted()).toBe(1);
    const { answer } = here.act({ action: 'unpark', container: 'h1/web-2' });
    expect(answer?.ok === false && answer.reason).toContain('container park web-2 --undo');
    here.report('h1', observed([view('web-2', down)], { whole: false }));
    expect(counted()).toBe(2);
  });

  test('what is stopped under an open grant is not parked, though it was never seen before (R16, R25)', () => {
    const here = scene([web()]);
    const down = view('web-1', { state: 'stopped', instance: null, stale: [] });
    const grant = {
      grantId: 'g',
      waveId: '',
      container: 'web-1',
      step: 'stopped',
      failed: false,
    } as const;
    here.report('h1', observed([down], { openGrants: [grant] }));
    expect(here.fleet.containers.get('h1/web-1')?.parked).toBe(false);
    expect(here.grants()).toEqual(['h1/web-1']);
  });

  test('issue times of a silent host’s records do not pile up (R14)', () => {
    const here = scene([web()]);
    for (let i = 0; i < 500; i++) {
      here.now += 5_000;
      here.step({ kind: 'record-wanted', host: 'h1' });
    }
    expect(here.fleet.hosts.get('h1')?.issued.length).toBeLessThan(30);
  });
});
