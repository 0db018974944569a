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

describe('R33: a host that will not come back', () => {
  const remove = { action: 'host-remove', hostId: 'h1' } as const;
  const exclude = { action: 'host-exclude', hostId: 'h1', fenced: true, reason: 'burnt' } as const;
  const two = (): Scene => upgradedScene([web()], { h1: ['web-1', 'web-3'], h2: ['web-2'] });
  const revoke = (here: Scene): Commands =>
    here.step({ kind: 'keys-changed', actor: 'ann', host: 'h1', what: '', believed: false });

  test('is kept while it takes part, or something was given to it that is not over', () => {
    const here = two();
    expect(here.act(remove).answer).toMatchObject({
      reason:
        'host h1 takes part: first groundswell host exclude h1 --fenced, if its machine is off, or groundswell host revoke h1',
    });
    revoke(here);
    expect(here.act(remove).answer).toMatchObject({
      reason:
        'host h1 was given h1/web-1, which is not over: groundswell host exclude h1 --fenced ends it, if its machine is off',
    });
    expect(here.fleet.hosts.has('h1')).toBe(true);
    expect(here.fleet.containers.size).toBe(3);
  });

  test('is forgotten with its containers and pauses, and services and waves go on without it', () => {
    const here = two();
    const level = { level: 'host', hostId: 'h1' } as const;
    here.act({ action: 'pause', level, reason: 'smoke' });
    here.act(exclude);
    expect(here.grants()).toEqual([]);
    const { answer, audits, dirty } = here.act(remove);
    expect(answer).toMatchObject({ ok: true, text: 'host h1 is removed, with 2 containers' });
    expect(audits[0]).toMatchObject({
      ...{ action: 'host-removed', subject: 'host h1', actor: 'ann' },
      details: { containers: ['web-1', 'web-3'] },
    });
    expect(dirty).toEqual(
      expect.arrayContaining([
        { table: 'hosts', key: 'h1' },
        { table: 'containers', key: 'h1/web-1' },
      ]),
    );
    expect([...here.fleet.containers.keys()]).toEqual(['h2/web-2']);
    expect(here.fleet.pauses.size).toBe(0);
    expect(here.grants()).toEqual(['h2/web-2']);
    const [wave] = here.fleet.waves.values();
    expect(wave?.members.get('h1/web-3')).toMatchObject({
      ...{ state: 'gone', reason: 'its host was removed' },
    });
    here.report('h1', observed([view('web-1')]));
    expect(here.fleet.containers.has('h1/web-1')).toBe(false);
    expect(here.act(remove).answer).toMatchObject({
      reason: 'there is no host h1; see: groundswell hosts',
    });
  });

  test('is a new one when it is enrolled again', () => {
    const here = two();
    here.act(exclude);
    here.act(remove);
    here.act({ action: 'host-add', hostId: 'h1', zone: null, cap: null });
    expect(here.fleet.hosts.get('h1')).toMatchObject({ incarnation: null, zone: 'default' });
    here.report('h1', observed([view('web-9', { stale: [] })]), { incarnation: 'life-2' });
    expect(here.fleet.containers.has('h1/web-9')).toBe(true);
  });

  test('takes its waiting upgrade with it', () => {
    const here = scene([web()], {}, [{ id: 'h1' }, { id: 'h2' }]);
    here.act({
      ...{ action: 'upgrade', hosts: ['h1'], mode: 'security', packages: [], allowRemove: false },
    });
    revoke(here);
    here.act(remove);
    const [wave] = here.fleet.waves.values();
    expect(wave?.state).toBe('finished');
    expect(wave?.upgrades.get('h1')).toMatchObject({ state: 'failed' });
  });
});
