import { describe, expect, test } from '@jest/globals';
import type { Need } from '../../../src/core/advisories/needs.ts';
import { defaultRule } from '../../../src/core/coordinator/policy.ts';
import type { PolicyRule } from '../../../src/core/coordinator/policy.ts';
import type { Commands } from '../../../src/core/coordinator/step.ts';
import { summarizeWave } from '../../../src/core/coordinator/summarize-wave.ts';
import { auto, begin, finish, need, orders, tell, waves } from './advisory-scene.ts';
import { observed, scene, view, web } from './fleet-scene.ts';

describe('what hosts need', () => {
  test('becomes one wave for all hosts of the platform, which waits for a person by default', () => {
    const here = begin([]);
    const told = tell(here, [need()]);
    expect(waves(here)).toHaveLength(1);
    const [wave] = waves(here);
    expect([...(wave?.upgrades.keys() ?? [])]).toEqual(['h1', 'h2']);
    expect(orders(told)).toEqual([]);
    expect(told.notices.map(({ kind }) => kind)).toEqual(['needs-approval']);
    expect(wave && summarizeWave(here.fleet, wave, here)).toMatchObject({
      ...{ state: 'waiting for approval', cause: 'DSA-1-1: libssl3 2' },
      remedy: `groundswell approve ${wave?.id ?? ''}`,
    });
    const approved = here.act({ action: 'approve', waveId: wave?.id ?? '' });
    expect(orders(approved)).toEqual([['h1', 'exact 2']]);
  });

  test('is begun by itself where the policy says so, and the records name the advisory', () => {
    const here = begin([auto]);
    const told = tell(here, [need()]);
    expect(orders(told)).toEqual([['h1', 'exact 2']]);
    expect(told.audits.find(({ action }) => action === 'upgrade-ordered')?.details).toMatchObject({
      advisories: ['DSA-1-1'],
    });
    const { audits } = finish(here, 'h1', '2');
    expect(audits.find(({ action }) => action === 'granted')?.details).toMatchObject({
      advisories: ['DSA-1-1'],
    });
  });

  test.each([
    ['a service waits for approval', { services: [web({ mode: 'approve' })] }],
    ['a service is only observed', { services: [web({ mode: 'observe' })] }],
    ['the platform waits for approval', { platformModes: { 'debian-12': 'approve' as const } }],
  ])('waits for a person where %s', (_, more) => {
    const here = begin([auto], more);
    expect(orders(tell(here, [need()]))).toEqual([]);
    expect(waves(here)[0]?.cause).toMatchObject({ kind: 'advisories', mode: 'approve' });
  });

  test.each<[string, PolicyRule, Partial<Need>]>([
    ['only observed', { ...auto, mode: 'observe' }, {}],
    ['not in the mirror', auto, { target: null, offered: [], firstSeen: null }],
    ['held', auto, { held: true }],
    ['too new', { ...auto, minAgeMs: 10_000 }, {}],
    ['before its earliest start', { ...auto, earliestMs: 10_000 }, {}],
  ])('opens no wave where it is %s', (_, rule, more) => {
    const here = begin([rule]);
    tell(here, [need(more)]);
    expect(waves(here)).toEqual([]);
  });

  test('is begun once it is old enough, or at once where it is exploited', () => {
    const rule = { ...auto, minAgeMs: 10_000 };
    const here = begin([rule]);
    tell(here, [need()]);
    here.wall.ms = 10_000;
    expect(orders(here.step({ kind: 'tick' }))).toEqual([['h1', 'exact 2']]);
    const urgent = begin([rule]);
    expect(orders(tell(urgent, [need({ exploited: true })]))).toEqual([['h1', 'exact 2']]);
  });

  test('is decided by the first rule that fits', () => {
    const rules: PolicyRule[] = [
      { ...defaultRule, exploited: true, mode: 'auto' },
      { ...defaultRule, severities: ['critical'], core: true, mode: 'auto' },
      { ...defaultRule, mode: 'observe' },
    ];
    const opened = (more: Partial<Need>): string[] => {
      const here = begin(rules, { corePackages: { 'debian-12': new Set(['libssl3']) } });
      tell(here, [need(more)]);
      return waves(here).map(({ cause }) => ('mode' in cause ? cause.mode : ''));
    };
    expect(opened({})).toEqual([]);
    expect(opened({ exploited: true })).toEqual(['auto']);
    expect(opened({ severity: 'critical' })).toEqual(['auto']);
    expect(opened({ severity: 'critical', name: 'nano' })).toEqual([]);
  });

  test('of before a transaction of the host decides nothing', () => {
    const here = begin([auto]);
    here.upgraded('h1', []);
    here.upgraded('h2', []);
    here.step({
      kind: 'needs',
      told: [
        {
          hosts: [
            { id: 'h1', transaction: 0 },
            { id: 'h2', transaction: 1 },
          ],
          needs: [need()],
        },
      ],
    });
    expect([...(waves(here)[0]?.upgrades.keys() ?? [])]).toEqual(['h2']);
  });

  test('and is not in the mirrors of many makes some after the other look there again', () => {
    const ids = Array.from({ length: 150 }, (_, number) => `h${number}`);
    const here = scene(
      [],
      {},
      ids.map((id) => ({ id })),
    );
    for (const id of ids) here.report(id, observed([]));
    const waits = need({ target: null, offered: [], waiting: [{ feed: 'debian', id: 'DSA-1-1' }] });
    const asked = ({ sends }: Commands): string[] =>
      sends.flatMap(({ kind, host }) => (kind === 'observe-host' ? [host] : []));
    const first = asked(tell(here, [waits], ids));
    expect(first).toHaveLength(100);
    expect([...first, ...asked(here.step({ kind: 'tick' }))].sort()).toEqual(ids.sort());
    expect(asked(here.step({ kind: 'tick' }))).toEqual([]);
  });

  test('and is not in the mirror makes its host look there again, not all the time', () => {
    const here = begin([auto]);
    const missing = need({ target: null, offered: [], waiting: [{ feed: 'd', id: 'DSA-1-1' }] });
    const asked = (told: Commands): string[] =>
      told.sends.flatMap((send) =>
        send.kind === 'observe-host' && send.payload.refresh ? [send.host] : [],
      );
    expect(asked(tell(here, [missing]))).toEqual(['h1', 'h2']);
    expect(asked(here.step({ kind: 'tick' }))).toEqual([]);
    here.now += here.fleet.settings.refreshEveryMs;
    expect(asked(here.step({ kind: 'tick' }))).toEqual(['h1', 'h2']);
  });
});

/** What a host's repositories say where they have something newer by now. */
const moved = { reason: 'the repositories offer 3, not 2', code: 'unknown-version' };

describe('a wave of advisories', () => {
  test('gives every host what its first one was ordered', () => {
    const here = begin([auto]);
    tell(here, [need()]);
    const after = finish(here, 'h1', '2');
    expect(orders(after)).toEqual([['h2', 'exact 2']]);
  });

  test('that waits is joined by a second advisory of the same package', () => {
    const here = begin([]);
    tell(here, [need()]);
    const second = { feed: 'debian', id: 'DSA-2-1' };
    tell(here, [need({ target: '3', offered: [{ feed: 'debian', id: 'DSA-1-1' }, second] })]);
    expect(waves(here)).toHaveLength(1);
    const [wave] = waves(here);
    expect(wave?.cause).toMatchObject({
      advisories: [{ id: 'DSA-1-1' }, { id: 'DSA-2-1' }],
      packages: [{ source: 'libssl3', to: '3' }],
    });
    expect(orders(here.act({ action: 'approve', waveId: wave?.id ?? '' }))).toEqual([
      ['h1', 'exact 3'],
    ]);
  });

  test('that only takes up containers again is joined by nothing', () => {
    const here = begin([]);
    tell(here, [need()]);
    const [wave] = waves(here);
    // As `takeUpAgain` opens it when an opt-out ends.
    wave?.upgrades.clear();
    wave?.members.set('h1/web-h1', { state: 'pending', attempts: 0, reason: '' });
    tell(here, [need({ name: 'zlib1g' })]);
    expect(waves(here)).toHaveLength(2);
    expect(wave?.upgrades.size).toBe(0);
  });

  test('is followed by another one for hosts that are done with it', () => {
    const here = begin([auto]);
    tell(here, [need()]);
    finish(here, 'h1', '2');
    tell(here, [need({ installed: '2', target: '3' })], ['h1']);
    expect(waves(here)).toHaveLength(2);
    expect([...(waves(here)[1]?.upgrades.keys() ?? [])]).toEqual(['h1']);
    // The other host gets what the wave proved, and no second wave before that.
    tell(here, [need({ target: '3' })], ['h2']);
    expect(waves(here)).toHaveLength(2);
  });

  test('is joined by a host that comes later and needs just this', () => {
    const here = begin([auto]);
    tell(here, [need()], ['h1']);
    finish(here, 'h1', '2');
    const told = tell(here, [need()], ['h2']);
    expect(waves(here)).toHaveLength(1);
    expect(orders(told)).toEqual([['h2', 'exact 2']]);
  });

  test('loses what is no more missing, and ends where nothing is left', () => {
    const here = begin([]);
    tell(here, [need(), need({ name: 'zlib1g' })]);
    tell(here, [need()]);
    expect(
      waves(here)[0]
        ?.upgrades.get('h1')
        ?.packages.map(({ name }) => name),
    ).toEqual(['libssl3']);
    tell(here, []);
    expect(waves(here)[0]?.state).toBe('finished');
  });

  test('that was declined is not opened again for the same version, but for a newer one', () => {
    const here = begin([]);
    tell(here, [need()]);
    here.act({ action: 'decline', waveId: waves(here)[0]?.id ?? '' });
    here.step({ kind: 'tick' });
    expect(waves(here)).toHaveLength(1);
    tell(here, [need({ target: '3' })]);
    expect(waves(here)).toHaveLength(2);
  });

  test('waits, and says so, where a mirror has no more what was proved, until it has it again', () => {
    const here = begin([auto]);
    tell(here, [need()]);
    finish(here, 'h1', '2', null, [view('web-h1', { stale: [] })]);
    const { notices } = finish(here, 'h2', '', moved);
    const [wave] = waves(here);
    expect(notices.map(({ kind, text }) => `${kind}: ${text}`)).toEqual([
      `alert: wave ${wave?.id ?? ''}: upgrade of h2 waits: the repositories offer 3, not 2`,
    ]);
    expect(wave?.pausedBy).toBeNull();
    expect(orders(tell(here, [need({ target: '3' })], ['h2']))).toEqual([]);
    expect(waves(here)).toHaveLength(1);
    expect(wave?.upgrades.get('h2')?.reason).toMatch(/offer libssl3 3, not 2/);
    // It is asked at once what it offers by now, and not for the same version again before some time is over.
    expect(orders(tell(here, [need()], ['h2']))).toEqual([]);
    here.later(here.fleet.settings.refreshEveryMs);
    expect(orders(tell(here, [need()], ['h2']))).toEqual([['h2', 'exact 2']]);
  });

  test('starts over with what the mirror has now, where the policy says so and allows that', () => {
    const here = begin([{ ...auto, whenMirrorMoved: 'start-over', minAgeMs: 1_000 }]);
    tell(here, [need()]);
    finish(here, 'h1', '2');
    const after = finish(here, 'h2', '', moved);
    expect(after.audits.map(({ action }) => action)).toContain('wave-started-over');
    expect(orders(after)).toEqual([]);
    expect(waves(here)[0]).toMatchObject({ pausedBy: null, stage: 'canary' });
    const newer = need({ target: '3', firstSeen: here.wall.ms });
    expect(orders(tell(here, [newer], ['h2']))).toEqual([]);
    here.wall.ms += 1_000;
    expect(orders(here.step({ kind: 'tick' }))).toEqual([['h2', 'exact 3']]);
  });

  test('asks for versions that a mirror says to offer, and has not, less and less often, and then fails', () => {
    const here = begin([{ ...auto, whenMirrorMoved: 'start-over' }]);
    let told = tell(here, [need()], ['h1']);
    const times: number[] = [];
    for (let minute = 0; minute < 24 * 60; minute += 1) {
      if (orders(told).length > 0) {
        times.push(minute);
        finish(here, 'h1', '', moved);
      }
      here.later(60_000);
      told = here.step({ kind: 'tick' });
    }
    expect(times).toEqual([0, 15, 45, 105]);
    expect(waves(here)[0]?.pausedBy).toMatch(/^upgrade of h1: the repositories/);
    here.act({ action: 'retry', scope: { of: 'host', hostId: 'h1' } });
    expect(
      orders(
        here.act({ action: 'resume', level: { level: 'wave', waveId: waves(here)[0]?.id ?? '' } }),
      ),
    ).toEqual([['h1', 'exact 2']]);
  });

  test('waits for its window until its latest start', () => {
    const window = { fromMinute: 0, toMinute: 60 };
    const here = begin([{ ...auto, latestMs: 60_000 }], { window });
    expect(orders(tell(here, [need()]))).toEqual([]);
    expect(waves(here)[0]?.upgrades.get('h1')?.reason).toBe(
      'outside the maintenance window (00:00 to 01:00, server time)',
    );
    here.wall.ms = 60_000;
    expect(orders(here.step({ kind: 'tick' }))).toEqual([['h1', 'exact 2']]);
  });
});

describe('a bug fix', () => {
  test('is upgraded only where a rule asks for its kind', () => {
    const here = begin([auto]);
    expect(orders(tell(here, [need({ kind: 'bugfix' })]))).toEqual([]);
    expect(waves(here)).toEqual([]);
    const asked = begin([{ ...auto, kinds: ['bugfix'] }]);
    expect(orders(tell(asked, [need({ kind: 'bugfix' })]))).toHaveLength(1);
  });
});
