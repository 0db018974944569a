import { describe, expect, test } from '@jest/globals';
import { fleetAlerts } from '../../../src/core/coordinator/standing-alerts.ts';
import type { Commands } from '../../../src/core/coordinator/step.ts';
import type { Report } from '../../../src/core/messages.ts';
import { observed, upgradedScene, view, web } from './fleet-scene.ts';
import type { Scene } from './fleet-scene.ts';
import { gap, hostOf, restart } from './restored-scene.ts';

const progress: Report = { kind: 'restart-progress', grantId: 'g', step: 'journaled', at: 0 };
const madeAt = Date.parse('2026-11-29T10:00:00Z');

/** What a server does first that finds that its store is a backup which was put in place. */
const takeUp = (here: Scene, epoch = here.fleet.epoch + 1): Commands => {
  here.fleet.epoch = epoch;
  Object.assign(here.fleet, { raised: false });
  for (const host of here.fleet.hosts.values())
    Object.assign(host, { recordN: 0, issued: [], greeted: false });
  return here.step({ kind: 'store-restored', actor: 'ann@srv', madeAt, restoredAt: madeAt + 1 });
};

const three = (): Scene =>
  upgradedScene([web()], { h1: ['web-1', 'web-2'], h2: ['web-3'], h3: ['db-1'] });

describe('R16: a store that is known to be a backup that was put in place', () => {
  test('begins a generation at once, knows no host, and is paused, with a record of who did it', () => {
    const here = three();
    const { audits, notices, records, dirty } = takeUp(here, 900);
    expect(here.fleet.generation).toBe(900);
    expect([...here.fleet.hosts.values()].map(({ known, resync }) => [known, resync])).toEqual([
      ...[
        [false, true],
        [false, true],
        [false, true],
      ],
    ]);
    expect(audits.slice(0, 2)).toMatchObject([
      {
        ...{ action: 'store-restored', actor: 'ann@srv', subject: 'fleet', outcome: 'known' },
        details: { madeAt: '2026-11-29T10:00:00.000Z', generation: 900 },
      },
      { action: 'paused', subject: 'fleet' },
    ]);
    expect(notices[0]).toMatchObject({ kind: 'alert' });
    expect(notices[0]?.text).toMatch(
      /restored from a backup of 2026-11-29T10:00:00.000Z by ann@srv.*groundswell resume/,
    );
    expect(records.map(({ host, record }) => [host, record.number[0], record.pauses])).toEqual([
      ['h1', 900, [{ level: 'fleet' }]],
      ['h2', 900, [{ level: 'fleet' }]],
      ['h3', 900, [{ level: 'fleet' }]],
    ]);
    const keys = dirty.map(({ table, key }) => `${table} ${key}`);
    expect(keys).toEqual(
      expect.arrayContaining(['meta generation', 'meta restored', 'hosts h1', 'hosts h3']),
    );
  });

  test('asks back what was given and not begun: whether it was done since is forgotten', () => {
    const here = three();
    expect(here.grants()).toEqual(['h1/web-1']);
    takeUp(here);
    const [grant] = here.fleet.grants.values();
    expect(hostOf(here, 'h1').voids).toEqual([grant?.id]);
  });

  test('no host has to prove it any more, and none pauses the fleet once more', () => {
    const here = three();
    const before = here.fleet.epoch;
    takeUp(here);
    for (const id of ['h1', 'h2']) {
      const { audits } = here.report(id, progress, { ...gap(here, id), echo: [1, before, 40] });
      expect(audits.filter(({ action }) => action === 'store-restored')).toEqual([]);
    }
    here.act({ action: 'resume', level: { level: 'fleet' } });
    restart(here);
    const { audits } = here.report('h3', progress, { ...gap(here, 'h3'), echo: [1, before, 40] });
    expect(audits).toEqual([]);
    expect([here.fleet.pauses.size, fleetAlerts(here.fleet, here)]).toEqual([0, []]);
  });

  test('a host is known again once it has reported whole under this life of the store', () => {
    const here = three();
    const before = here.fleet.epoch;
    takeUp(here);
    here.report('h1', observed([view('web-1'), view('web-2')], { leader: [1, before] }), {
      ...gap(here, 'h1'),
      echo: [1, before, 40],
    });
    expect(hostOf(here, 'h1').known).toBe(false);
    here.report('h1', observed([view('web-1'), view('web-2')]));
    expect(hostOf(here, 'h1')).toMatchObject({ known: true, resync: false });
  });

  test('nothing is granted before each host has told and a person has resumed', () => {
    const here = three();
    takeUp(here);
    const holds = {
      openGrants: [
        { grantId: 'g9', container: 'web-2', waveId: '', step: 'stopped', failed: false },
      ] as const,
    };
    here.report(
      'h1',
      observed([view('web-1'), view('web-2')], { openGrants: [...holds.openGrants] }),
      gap(here, 'h1'),
    );
    here.act({ action: 'resume', level: { level: 'fleet' } });
    // What only its agent knew of is adopted and holds the unit.
    expect([...here.fleet.grants.keys()]).toContain('g9');
    expect(here.grants().filter((id) => id === 'h2/web-3')).toEqual([]);
  });

  test('the same backup put in place a second time is above what hosts have heard since the first', () => {
    const here = three();
    takeUp(here, 900);
    const { epoch } = here.fleet;
    const heard = here.fleet.generation;
    // The store of the backup again: of generation 1, and it has heard nothing of the first restore.
    Object.assign(here.fleet, { generation: 1 });
    here.fleet.pauses.clear();
    for (const host of here.fleet.hosts.values())
      Object.assign(host, { generation: 0, resync: false, known: true });
    const { records } = takeUp(here, epoch + 5);
    expect(records.every(({ record }) => record.number[0] > heard)).toBe(true);
  });

  test('what a clock that is behind has given too low a number is proved by the hosts all the same', () => {
    const here = three();
    takeUp(here);
    const { generation, epoch } = here.fleet;
    here.report('h1', progress, { ...gap(here, 'h1'), echo: [generation + 3, epoch - 1, 7] });
    const { records } = here.step({ kind: 'record-wanted', host: 'h1' });
    expect(records[0]?.record.number[0]).toBeGreaterThan(generation + 3);
    expect(hostOf(here, 'h1').known).toBe(false);
  });

  test('a person’s pause stays, and says why there is more to it', () => {
    const here = three();
    here.act({ action: 'pause', level: { level: 'fleet' }, reason: 'lunch' });
    takeUp(here);
    takeUp(here);
    const [pause, ...others] = here.fleet.pauses.values();
    expect(others).toEqual([]);
    expect(pause?.actor).toBe('ann');
    expect(pause?.reason).toMatch(/^lunch; the store was restored from a backup/);
    expect(pause?.reason.match(/restored from a backup/g)).toHaveLength(1);
  });

  test('what was in doubt when the backup was made is in doubt no more', () => {
    const here = three();
    restart(here);
    here.report('h1', progress, gap(here, 'h1'));
    expect(here.fleet.inDoubt).toBe(true);
    takeUp(here);
    expect([here.fleet.inDoubt, here.fleet.provers]).toEqual([false, []]);
    expect(fleetAlerts(here.fleet, here)).toEqual([]);
  });
});

test('R16: a store put back by hand is proved by hosts that know a generation as late as its leader', () => {
  const here = three();
  here.fleet.epoch = 5_000;
  restart(here);
  for (const id of ['h1', 'h2'])
    here.report(id, progress, { ...gap(here, id, 0), echo: [4_500, 4_500, 60] });
  expect(here.fleet.generation).toBe(4_501);
  expect(here.fleet.pauses.size).toBe(1);
});
