import { expect, test } from '@jest/globals';
import type { Commands } from '../../../src/core/coordinator/step.ts';
import { planRestarts } from '../../../src/core/coordinator/plan.ts';
import { ended, observed, scene, upgradedScene, view, web } from './fleet-scene.ts';
import type { Scene } from './fleet-scene.ts';

const recorded = ({ audits }: Commands): string[] =>
  audits.flatMap(({ actor, action, subject }) => (actor === 'ann' ? [`${action} ${subject}`] : []));
const waveOf = ({ fleet }: Scene): string => [...fleet.waves.keys()][0] ?? '';

test('the record of a pause and of its end names what was paused, and is found by wave and service', () => {
  const here = upgradedScene([web({ mode: 'approve' })], { h1: ['web-1'] });
  const waveId = waveOf(here);
  const levels = [
    [{ level: 'fleet' }, 'fleet', null, null],
    [{ level: 'wave', waveId }, `wave ${waveId}`, waveId, null],
    [{ level: 'service', service: 'web' }, 'service web', null, 'web'],
    [{ level: 'host', hostId: 'h1' }, 'host h1', null, null],
    [{ level: 'queue', hostId: 'h1' }, 'queue of h1', null, null],
  ] as const;
  for (const [level, subject, wave, service] of levels) {
    const found = { subject, waveId: wave, service, actor: 'ann' };
    const paused = here.act({ action: 'pause', level, reason: 'lunch' });
    expect(paused.audits).toMatchObject([{ action: 'paused', ...found }]);
    const moment = { now: here.now, wall: here.wall };
    expect(planRestarts(here.fleet, moment, () => 1).notes).toContain(
      `paused (${subject}) by ann: lunch`,
    );
    const resumed = here.act({ action: 'resume', level });
    expect(resumed.audits).toMatchObject([{ action: 'resumed', ...found }]);
  }
});

test('every other decision of an operator names kind and name, too', () => {
  const here = upgradedScene([web({ mode: 'approve' })], { h1: ['web-1'], h2: ['web-2'] });
  const waveId = waveOf(here);
  expect(recorded(here.act({ action: 'approve', waveId }))).toEqual([
    `wave-approved wave ${waveId}`,
  ]);
  const outage = here.act({ action: 'allow-outage', waveId, service: 'web' });
  expect(recorded(outage)).toEqual(['outage-allowed service web']);
  expect(outage.audits[0]).toMatchObject({ waveId, service: 'web' });
  const [grant] = here.fleet.grants.values();
  here.report('h1', ended(grant?.id ?? '', 'failed'));
  const scope = { of: 'container', container: 'h1/web-1' } as const;
  expect(recorded(here.act({ action: 'retry', scope }))).toEqual([
    'retry-asked container h1/web-1',
  ]);
  expect(recorded(here.act({ action: 'stop', waveId }))).toEqual([`wave-stopped wave ${waveId}`]);
  const frozen = here.act({ action: 'freeze', reason: 'sale', until: null });
  const id = frozen.answer?.ok === true ? (frozen.answer.id ?? '') : '';
  expect(recorded(frozen)).toEqual([`frozen freeze ${id}`]);
  expect(recorded(here.act({ action: 'unfreeze', id }))).toEqual([`unfrozen freeze ${id}`]);
  expect(
    recorded(here.act({ action: 'host-exclude', hostId: 'h2', fenced: true, reason: 'off' })),
  ).toContain('host-excluded host h2');
  expect(recorded(here.act({ action: 'host-add', hostId: 'h2', zone: null, cap: null }))).toEqual([
    'host-added host h2',
  ]);
  expect(
    recorded(
      here.step({ kind: 'keys-changed', actor: 'ann', host: 'h2', what: 'x', believed: true }),
    ),
  ).toEqual(['keys-changed host h2']);
});

test('parking names the container, and an upgrade who asked for it', () => {
  const here = scene([web()]);
  here.report('h1', observed([view('web-1', { stale: [] })]));
  const down = view('web-1', { stale: [], state: 'stopped', instance: null });
  here.report('h1', observed([down]));
  expect(recorded(here.act({ action: 'park', container: 'h1/web-1' }))).toEqual([
    'parked container h1/web-1',
  ]);
  const upgrade = here.act({
    ...{ action: 'upgrade', hosts: ['h1'], mode: 'security', packages: [], allowRemove: false },
  });
  expect(recorded(upgrade)).toContain(`wave-opened wave ${waveOf(here)}`);
});

test('what a record is about says of which service it is, and what its wave is for', () => {
  const here = upgradedScene([web({ mode: 'approve' })], { h1: ['web-1'] });
  const waveId = waveOf(here);
  const found = { cause: 'openssl 2', service: null, waveId };
  const approved = here.act({ action: 'approve', waveId });
  expect(approved.audits).toMatchObject([
    { action: 'wave-approved', ...found },
    { action: 'granted', subject: 'h1/web-1', ...found, service: 'web' },
  ]);
  const [grant] = here.fleet.grants.values();
  const { audits } = here.report('h1', ended(grant?.id ?? '', 'failed'));
  expect(audits[0]).toMatchObject({ action: 'grant-failed', ...found, service: 'web' });
  expect(here.act({ action: 'freeze', reason: 'sale', until: null }).audits).toMatchObject([
    { action: 'frozen', cause: null, service: null },
  ]);
});

test('what a wave of hundreds of packages is for is not told whole in each of its records', () => {
  const here = upgradedScene([web({ mode: 'approve' })], { h1: ['web-1'] });
  const wave = [...here.fleet.waves.values()][0];
  if (wave?.cause.kind !== 'upgrade') throw new Error('no wave');
  const packages = Array.from({ length: 400 }, (_, n) => ({ source: `lib${n}`, to: '2' }));
  wave.cause = { ...wave.cause, packages };
  const { audits } = here.act({ action: 'approve', waveId: wave.id });
  expect(audits[0]?.cause).toMatch(/^lib0 2, lib1 2, /);
  expect(audits[0]?.cause?.length).toBeLessThanOrEqual(200);
});
