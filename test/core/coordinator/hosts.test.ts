import { describe, expect, test } from '@jest/globals';
import { serviceState } from '../../../src/core/coordinator/availability.ts';
import { explainContainer } from '../../../src/core/coordinator/explain.ts';
import type { Commands } from '../../../src/core/coordinator/step.ts';
import { ended, observed, scene, upgradedScene, view, web } from './fleet-scene.ts';
import type { Scene } from './fleet-scene.ts';

test('a host that is taken back is asked to report whole, until it has (R33)', () => {
  const here = scene([web()]);
  here.report('h1', observed([view('web-1', { stale: [] })]));
  here.act({ action: 'host-exclude', hostId: 'h1', fenced: true, reason: 'off' });
  const back = here.act({ action: 'host-add', hostId: 'h1', zone: null, cap: null });
  expect(back.sends).toMatchObject([{ host: 'h1', kind: 'observe-host', incarnation: 'life-1' }]);
  const part = here.report('h1', observed([view('web-1', { stale: [] })], { whole: false }));
  expect(part.closes).toEqual([]);
  const whole = here.report('h1', observed([view('web-1', { stale: [] })]));
  expect(whole.closes).toEqual([back.sends[0]?.jobId]);
  expect(here.report('h1', observed([])).closes).toEqual([]);
});

test('a host that never said anything is asked nothing: its first report is whole anyway', () => {
  const here = scene([web()]);
  here.act({ action: 'host-exclude', hostId: 'h1', fenced: true, reason: 'off' });
  const back = here.act({ action: 'host-add', hostId: 'h1', zone: null, cap: null });
  expect(back.sends).toEqual([]);
});

describe('R33: a host whose keys were revoked', () => {
  const revoke = (here: Scene, believed = false): Commands =>
    here.step({ kind: 'keys-changed', actor: 'ann', host: 'h1', what: 'revoked', believed });
  const two = (): Scene => upgradedScene([web()], { h1: ['web-1'], h2: ['web-2'] });

  test('counts as away at once, is told, and keeps what it holds', () => {
    const here = two();
    expect(here.grants()).toEqual(['h1/web-1']);
    const { records, dirty } = revoke(here);
    expect(records.find(({ host }) => host === 'h1')?.record.excluded).toBe(true);
    expect(dirty).toContainEqual({ table: 'hosts', key: 'h1' });
    expect(here.grants()).toEqual(['h1/web-1']);
    const [grant] = here.fleet.grants.values();
    here.report('h1', ended(grant?.id ?? '', 'refused'));
    expect(here.grants()).toEqual(['h1/web-1']);
    here.fleet.grants.clear();
    expect(serviceState(here.fleet, 'web', here.now).unavailable.get('h1/web-1')).toBe(
      'its host is revoked',
    );
    here.step({ kind: 'tick' });
    expect(here.grants()).toEqual([]);
    const moment = { now: here.now, wall: here.wall };
    expect(explainContainer(here.fleet, 'h1/web-1', moment)?.unavailableBecause).toBe(
      'its host is revoked',
    );
  });

  test('goes on where it stood when a new key of it is believed', () => {
    const here = two();
    const [grant] = here.fleet.grants.values();
    revoke(here);
    expect(revoke(here, true).records.find(({ host }) => host === 'h1')?.record.excluded).toBe(
      false,
    );
    here.report('h1', ended(grant?.id ?? '', 'void', view('web-1')));
    expect(here.grants()).toEqual(['h1/web-1']);
  });

  test('is not upgraded, and says what takes it back', () => {
    const here = two();
    revoke(here);
    const upgrade = here.act({
      ...{ action: 'upgrade', hosts: ['h1'], mode: 'security', packages: [], allowRemove: false },
    });
    expect(upgrade.answer).toMatchObject({
      reason: 'host h1 is revoked: groundswell host add h1 --key <file>',
    });
  });
});
