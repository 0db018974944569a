import { describe, expect, test } from '@jest/globals';
import type { FleetSettings } from '../../../src/core/coordinator/fleet.ts';
import { decisionsNow } from '../../../src/core/coordinator/decisions.ts';
import { explainNeed } from '../../../src/core/coordinator/explain-need.ts';
import { defaultRule } from '../../../src/core/coordinator/policy.ts';
import type { PolicyRule } from '../../../src/core/coordinator/policy.ts';
import { shownForm } from '../../../src/core/coordinator/shown-form.ts';
import type { Commands } from '../../../src/core/coordinator/step.ts';
import { auto, begin, finish, need, orders, tell, waves } from './advisory-scene.ts';
import { observed, view, web } from './fleet-scene.ts';
import type { Scene } from './fleet-scene.ts';

const window = { fromMinute: 0, toMinute: 60 };
const intoWindow = (here: Scene): Commands => {
  here.wall.minuteOfDay = 10;
  return here.step({ kind: 'tick' });
};
const approve = (here: Scene): Commands =>
  here.act({ action: 'approve', waveId: waves(here)[0]?.id ?? '' });
const decline = (here: Scene): Commands =>
  here.act({ action: 'decline', waveId: waves(here).at(-1)?.id ?? '' });
const states = (here: Scene): string[] =>
  waves(here).map(({ state, approvedBy, cause }) =>
    [state, approvedBy ?? 'nobody', 'mode' in cause ? cause.mode : ''].join(' '),
  );
const named = (here: Scene): string[] =>
  waves(here).flatMap(({ cause }) =>
    cause.kind === 'advisories' ? cause.advisories.map(({ id }) => id) : [],
  );
const setPolicy = (here: Scene, ...rules: PolicyRule[]): void => {
  here.fleet.settings.policies = { 'debian-12': rules };
};
const dsa = (n: number) => ({ feed: 'debian', id: `DSA-${n}-1` });
const libc = need({ name: 'libc6', target: '9', offered: [dsa(2)] });
const well = (host: string) => [view(`web-${host}`, { stale: [] })];

describe('what a person has approved', () => {
  test('is not joined by more packages: these ask in a wave of their own', () => {
    const here = begin([], { window });
    tell(here, [need()]);
    approve(here);
    const told = tell(here, [need(), libc]);
    expect(told.notices.map(({ kind }) => kind)).toEqual(['needs-approval']);
    expect(states(here)).toEqual(['open ann approve', 'open nobody approve']);
    expect(orders(intoWindow(here))).toEqual([['h1', 'exact 2']]);
  });

  test('is not joined by more hosts', () => {
    const here = begin([]);
    tell(here, [need()], ['h1']);
    approve(here);
    finish(here, 'h1', '2');
    expect(orders(tell(here, [need()], ['h2']))).toEqual([]);
    expect(states(here)).toEqual(['open ann approve', 'open nobody approve']);
  });

  test('is not followed by a version that takes its place: that asks anew', () => {
    const here = begin([], { window });
    tell(here, [need()]);
    approve(here);
    tell(here, [need({ target: '3', offered: [dsa(1), dsa(2)] })]);
    expect(states(here)).toEqual(['finished ann approve', 'open nobody approve']);
    expect(orders(intoWindow(here))).toEqual([]);
  });

  test('is not widened by what others upgrade on hosts that it was not for', () => {
    const here = begin([], { services: [web({ mode: 'approve' })] });
    tell(here, [need()], ['h1']);
    approve(here);
    finish(here, 'h1', '2');
    here.upgraded('h2', [view('web-h2')]);
    expect(waves(here)[1]?.members.has('h2/web-h2')).toBe(true);
    expect(here.grants()).toEqual(['h1/web-h1']);
  });

  test('is told with the first few names', () => {
    const here = begin([]);
    const all = Array.from({ length: 100 }, (_, n) => need({ name: `lib${n}`, offered: [dsa(n)] }));
    expect(tell(here, all).notices).toHaveLength(1);
    const answer = approve(here).answer;
    expect(answer?.ok === true && answer.text).toMatch(/DSA-4-1 and 95 more: .* and 95 more\)/);
  });

  test('is what they were shown: with other packages it is told again, and not approved as it was', () => {
    const here = begin([]);
    const shownIn = ({ notices }: Commands): string | undefined =>
      notices.map(({ text }) => /--shown (.*)/.exec(text)?.[1])[0];
    const waveId = (): string => waves(here)[0]?.id ?? '';
    const first = shownIn(tell(here, [need()], ['h1']));
    expect(tell(here, [need()]).notices).toEqual([]);
    const told = tell(here, [need({ target: '3' }), libc]);
    expect(told.notices).toMatchObject([
      { text: expect.stringMatching(/is another by now \(packages: 2, hosts: 2\), waits/) },
    ]);
    const refused = here.act({ action: 'approve', waveId: waveId(), shown: first ?? '' });
    expect([refused.answer?.ok, orders(refused)]).toEqual([false, []]);
    const approved = here.act({ action: 'approve', waveId: waveId(), shown: shownIn(told) ?? '' });
    expect(orders(approved)).toEqual([['h1', 'exact 3', 'exact 9']]);
  });

  test('is for the hosts that they were shown: one that has joined since is not taken in silently', () => {
    const here = begin([]);
    const { notices } = tell(here, [need()], ['h1']);
    const shown = /--shown (.*)/.exec(notices[0]?.text ?? '')?.[1] ?? '';
    const [wave] = waves(here);
    if (wave === undefined) throw new Error('there is no wave');
    expect(shown).toBe(shownForm(wave));
    tell(here, [need()]);
    const refused = here.act({ action: 'approve', waveId: wave.id, shown });
    expect(refused.answer).toMatchObject({
      ...{ ok: false, reason: expect.stringMatching(/on which hosts \(.*; 2 hosts\)/) as unknown },
    });
    // Of another package on a host that was shown before it is the same.
    const form = shownForm(wave) ?? '';
    tell(here, [need(), libc]);
    expect(here.act({ action: 'approve', waveId: wave.id, shown: form }).answer?.ok).toBe(false);
    tell(here, [need()]);
    const approved = here.act({ action: 'approve', waveId: wave.id, shown: form });
    expect(orders(approved)).toEqual([['h1', 'exact 2']]);
    expect(shownForm(wave)).toBe(form);
  });

  test('is told again for each package of it that is known to be exploited', () => {
    const here = begin([]);
    const known = { exploited: true };
    const told = [[need()], [need(known), libc], [need(known), { ...libc, ...known }]];
    expect(told.map((needs) => tell(here, needs).notices.length)).toEqual([1, 1, 1]);
    expect(tell(here, [need(known), { ...libc, ...known }]).notices).toEqual([]);
  });
});

describe('the age of an update', () => {
  const old: PolicyRule = { ...auto, minAgeMs: 10_000 };
  test('is that of the very version that is ordered', () => {
    const here = begin([old], { window });
    here.wall.ms = 20_000;
    tell(here, [need()], ['h1']);
    tell(here, [need({ target: '3', firstSeen: 19_999 })], ['h1']);
    expect(orders(intoWindow(here))).toEqual([]);
    here.wall.ms = 29_999;
    expect(orders(here.step({ kind: 'tick' }))).toEqual([['h1', 'exact 3']]);
  });

  test('is not waited for where it is exploited; its earliest start is', () => {
    const here = begin([{ ...old, earliestMs: 8_000 }]);
    expect(orders(tell(here, [need({ exploited: true })]))).toEqual([]);
    here.wall.ms = 8_000;
    expect(orders(here.step({ kind: 'tick' }))).toEqual([['h1', 'exact 2']]);
  });

  test('of what others of the wave have got counts for each host that follows', () => {
    const here = begin([auto]);
    tell(here, [need()]);
    here.act({ action: 'pause', level: { level: 'host', hostId: 'h2' }, reason: 'x' });
    finish(here, 'h1', '2', null, well('h1'));
    setPolicy(here, { ...auto, minAgeMs: 10_000 });
    expect(orders(here.act({ action: 'resume', level: { level: 'host', hostId: 'h2' } }))).toEqual(
      [],
    );
    here.wall.ms = 10_000;
    expect(orders(here.step({ kind: 'tick' }))).toEqual([['h2', 'exact 2']]);
  });
});

describe('versions', () => {
  test('are proved by the first host also where nothing runs the old code there', () => {
    const here = begin([auto]);
    tell(here, [need()]);
    here.act({ action: 'pause', level: { level: 'host', hostId: 'h2' }, reason: 'x' });
    finish(here, 'h1', '2', null, well('h1'));
    tell(here, [need({ target: '3' })], ['h2']);
    expect(waves(here)).toHaveLength(1);
    expect(orders(here.act({ action: 'resume', level: { level: 'host', hostId: 'h2' } }))).toEqual([
      ['h2', 'exact 2'],
    ]);
  });

  test('are those of each architecture', () => {
    const here = begin([auto], { window });
    tell(here, [need(), need({ arch: 'i386', target: '1.5' })], ['h1']);
    tell(here, [need({ arch: 'arm64', target: '2+b1' })], ['h2']);
    const { sends } = intoWindow(here);
    expect(
      sends.flatMap((one) => (one.kind === 'host-upgrade' ? one.payload.packages : [])),
    ).toEqual([
      { name: 'libssl3:amd64', want: 'exact', version: '2' },
      { name: 'libssl3:i386', want: 'exact', version: '1.5' },
    ]);
    expect(orders(finish(here, 'h1', '2'))).toEqual([['h2', 'exact 2+b1']]);
  });
});

describe('a policy that is another by now', () => {
  test.each<[string, PolicyRule]>([
    ['observe', { ...auto, mode: 'observe' }],
    ['approve', { ...auto, mode: 'approve' }],
    ['a minimum age', { ...auto, minAgeMs: 1_000_000 }],
  ])('stops an open wave: %s', (_, rule) => {
    const here = begin([auto], { window });
    tell(here, [need()]);
    setPolicy(here, rule);
    expect(orders(intoWindow(here))).toEqual([]);
    expect(waves(here)[0]?.state).toBe('finished');
  });

  test('stops one that was approved, where it is observe', () => {
    const here = begin([], { window });
    tell(here, [need()]);
    approve(here);
    setPolicy(here, { ...auto, mode: 'observe' });
    expect(orders(intoWindow(here))).toEqual([]);
    expect(states(here)).toEqual(['finished ann approve']);
  });

  test('a container that waits for approval, new on a host, makes its wave ask', () => {
    const here = begin([auto], {
      window,
      services: [web(), web({ name: 'db', match: [{ container: 'db-*' }], mode: 'approve' })],
    });
    tell(here, [need()], ['h1']);
    here.report('h1', observed([...well('h1'), view('db-1', { stale: [] })]));
    expect(orders(intoWindow(here))).toEqual([]);
    expect(states(here)).toEqual(['finished nobody auto', 'open nobody approve']);
  });
});

describe('what is exploited', () => {
  const rules: PolicyRule[] = [{ ...auto, exploited: true, latestMs: 0 }, defaultRule];
  const exploited = need({ exploited: true });

  test('begins by itself, though the wave that it was in waits for approval', () => {
    const here = begin(rules, { window });
    tell(here, [need()]);
    expect(orders(tell(here, [exploited]))).toEqual([['h1', 'exact 2']]);
    expect(states(here)).toEqual(['finished nobody approve', 'open nobody auto']);
  });

  test('waits for its window no longer', () => {
    const here = begin([{ ...auto, exploited: true, latestMs: 0 }, auto], { window });
    expect(orders(tell(here, [need()]))).toEqual([]);
    expect(orders(tell(here, [exploited]))).toEqual([['h1', 'exact 2']]);
  });

  test('is asked about once more where it waits for a person, or was declined', () => {
    const here = begin([]);
    const asked = (needs: Parameters<typeof tell>[1]) =>
      tell(here, needs).notices.filter(({ kind }) => kind === 'needs-approval');
    expect(asked([need()])).toHaveLength(1);
    expect(asked([exploited])).toMatchObject([{ text: expect.stringMatching(/exploited/) }]);
    decline(here);
    expect(asked([exploited])).toEqual([]);
    const other = begin(rules);
    tell(other, [need()]);
    decline(other);
    expect(orders(tell(other, [exploited]))).toEqual([]);
    expect(states(other)).toEqual(['declined nobody approve', 'open nobody approve']);
    decline(other);
    tell(other, [exploited]);
    expect(waves(other).filter(({ state }) => state === 'open')).toEqual([]);
  });
});

describe('the advisories that a wave names', () => {
  test('are those that its version fixes, as soon as they are known and as long as they hold', () => {
    const here = begin([auto], { window });
    tell(here, [need()]);
    tell(here, [need({ offered: [dsa(1), dsa(2)] })]);
    expect(named(here)).toEqual(['DSA-1-1', 'DSA-2-1']);
    tell(here, [need({ offered: [dsa(2)] })]);
    expect(named(here)).toEqual(['DSA-2-1']);
    intoWindow(here);
    tell(here, [need({ offered: [dsa(3)] })], ['h2']);
    expect(named(here)).toEqual(['DSA-2-1', 'DSA-3-1']);
  });

  test('are named by the restarts after an upgrade by others too', () => {
    const here = begin([auto], { window });
    tell(here, [need()]);
    here.upgraded('h1', [view('web-h1')]);
    expect(waves(here)).toHaveLength(1);
    const { audits } = intoWindow(here);
    expect(audits.find(({ action }) => action === 'granted')?.details).toMatchObject({
      advisories: ['DSA-1-1'],
    });
  });
});

describe('what is upgraded together', () => {
  const more: Partial<FleetSettings> = { corePackages: { 'debian-12': new Set(['libssl3']) } };
  const source = { source: 'openssl' };
  test.each<[string, Partial<Parameters<typeof need>[0]>[]]>([
    ['with a need of its own', [source, { ...source, name: 'openssl' }]],
    ['that comes along', [{ ...source, siblings: ['openssl'] }]],
  ])('goes by the strictest rule for any of it: %s', (_, needs) => {
    const here = begin([{ ...auto, core: true }], more);
    const told = tell(here, needs.map(need), ['h1']);
    expect(orders(told)).toEqual([]);
    expect(states(here)).toEqual(['open nobody approve']);
    expect(waves(here)[0]?.upgrades.get('h1')?.packages).toHaveLength(needs.length);
  });

  test('waits for no age where any of it is exploited', () => {
    const here = begin([{ ...auto, minAgeMs: 10_000 }]);
    const needs = [need({ ...source, exploited: true }), need({ ...source, name: 'openssl' })];
    expect(orders(tell(here, needs, ['h1']))).toEqual([['h1', 'exact 2', 'exact 2']]);
  });

  test('is not begun for another package of a source that a person decided against', () => {
    const here = begin([]);
    tell(here, [need(source)], ['h1']);
    decline(here);
    setPolicy(here, auto);
    expect(
      orders(tell(here, [need(source), need({ ...source, name: 'openssl' })], ['h1'])),
    ).toEqual([]);
    expect(states(here)).toEqual(['declined nobody approve', 'open nobody approve']);
  });
});

describe('a host', () => {
  test('that was excluded before its upgrade began is upgraded when it comes back', () => {
    const here = begin([auto]);
    tell(here, [need()]);
    here.act({ action: 'host-exclude', hostId: 'h2', fenced: true, reason: 'x' });
    finish(here, 'h1', '2', null, well('h1'));
    expect(waves(here)[0]?.state).toBe('finished');
    here.act({ action: 'host-add', hostId: 'h2', zone: '', cap: null });
    here.report('h2', observed(well('h2')));
    expect(orders(here.step({ kind: 'tick' }))).toEqual([['h2', 'exact 2']]);
  });

  test('that was still waiting when its wave was stopped is left to a person', () => {
    const here = begin([auto]);
    tell(here, [need()]);
    here.act({ action: 'stop', waveId: waves(here)[0]?.id ?? '' });
    finish(here, 'h1', '2', null, well('h1'));
    here.step({ kind: 'tick' });
    expect(states(here)).toEqual(['stopped nobody auto']);
  });

  test('of which an upgrade was to no avail is not upgraded to the same again', () => {
    const here = begin([auto]);
    tell(here, [need()], ['h1']);
    finish(here, 'h1', '2', null, well('h1'));
    expect(orders(tell(here, [need()], ['h1']))).toEqual([]);
    expect(waves(here)).toHaveLength(1);
  });

  test('of which an upgrade failed is begun nothing else of that source on', () => {
    const here = begin([auto]);
    const libssl = need({ source: 'openssl' });
    tell(here, [libssl], ['h1']);
    finish(here, 'h1', '', { reason: 'disk full', code: 'disk-full' });
    const other = need({ name: 'openssl', source: 'openssl' });
    expect(orders(tell(here, [libssl, other, libc], ['h1']))).toEqual([['h1', 'exact 9']]);
  });

  test('that was excluded while its wave was being stopped is left to a person', () => {
    const here = begin([auto]);
    tell(here, [need()]);
    here.act({ action: 'stop', waveId: waves(here)[0]?.id ?? '' });
    here.act({ action: 'host-exclude', hostId: 'h2', fenced: true, reason: 'x' });
    finish(here, 'h1', '2', null, well('h1'));
    here.act({ action: 'host-add', hostId: 'h2', zone: '', cap: null });
    here.report('h2', observed(well('h2')));
    expect(orders(here.step({ kind: 'tick' }))).toEqual([]);
    expect(waves(here)).toHaveLength(1);
  });

  test('that was excluded when its wave was stopped is left to a person, also before any of it began', () => {
    const here = begin([auto], { window });
    tell(here, [need()]);
    here.act({ action: 'host-exclude', hostId: 'h2', fenced: true, reason: 'x' });
    here.act({ action: 'stop', waveId: waves(here)[0]?.id ?? '' });
    here.act({ action: 'host-add', hostId: 'h2', zone: '', cap: null });
    here.report('h2', observed(well('h2')));
    tell(here, [need()]);
    expect(orders(intoWindow(here))).toEqual([]);
    expect(waves(here)).toHaveLength(1);
  });

  test('is decided about by the rules of its own platform, whoever needs the same', () => {
    const here = begin([auto]);
    here.fleet.settings.policies['debian-13'] = [{ ...auto, mode: 'observe' }];
    here.report('h2', observed(well('h2'), { platform: 'debian-13' }));
    tell(here, [need()]);
    expect(orders(finish(here, 'h1', '2', null, well('h1')))).toEqual([]);
    expect(waves(here).map(({ state, upgrades }) => [state, ...upgrades.keys()])).toEqual([
      ['finished', 'h1'],
    ]);
  });
});

describe('an upgrade', () => {
  test('is disruptive also by what comes along with it', () => {
    const here = begin([auto], { disruptivePackages: ['systemd'] });
    tell(here, [need({ name: 'libsystemd0', source: 'systemd', siblings: ['systemd'] })], ['h1']);
    expect([...here.fleet.grants.values()].map(({ disruptive }) => disruptive)).toEqual([true]);
  });

  test('that was ordered is asked back where policy only observes by now', () => {
    const here = begin([auto]);
    tell(here, [need()], ['h1']);
    setPolicy(here, { ...auto, mode: 'observe' });
    here.step({ kind: 'tick' });
    expect([...here.fleet.grants.values()].map(({ voidAsked }) => voidAsked)).toEqual([
      'only observed, by the policy of its platform',
    ]);
  });

  test('that failed is told of once more when it becomes known to be exploited', () => {
    const here = begin([auto]);
    tell(here, [need()], ['h1']);
    finish(here, 'h1', '', { reason: 'disk full', code: 'disk-full' });
    const told = [0, 1].map(() => tell(here, [need({ exploited: true })], ['h1']).notices);
    expect(told).toMatchObject([[{ text: expect.stringMatching(/exploited by now/) }], []]);
  });

  test('of which a wave left a host out is not said to be in it', () => {
    const here = begin([auto], { window });
    tell(here, [need()]);
    here.act({ action: 'host-exclude', hostId: 'h2', fenced: true, reason: 'x' });
    here.act({ action: 'host-add', hostId: 'h2', zone: null, cap: null });
    const host = here.fleet.hosts.get('h2');
    if (host === undefined) throw new Error('no host');
    const decisions = decisionsNow(here.fleet, here.wall.ms);
    expect(explainNeed(here.fleet, decisions, host, need(), dsa(1))).toBe(
      'it has not reported yet',
    );
    here.report('h2', observed(well('h2')));
    expect(explainNeed(here.fleet, decisions, host, need(), dsa(1))).toBe('a wave begins');
  });

  test('is not said to begin on a host that takes no part, or whose packages are looked at', () => {
    const here = begin([auto], { window });
    tell(here, [need()]);
    const said = (): string => {
      const host = here.fleet.hosts.get('h2');
      if (host === undefined) throw new Error('no host');
      const decisions = decisionsNow(here.fleet, here.wall.ms);
      return explainNeed(here.fleet, decisions, host, need(), dsa(1));
    };
    here.act({ action: 'host-exclude', hostId: 'h2', fenced: true, reason: 'x' });
    expect(said()).toBe('excluded: groundswell host add h2');
    here.act({ action: 'host-add', hostId: 'h2', zone: null, cap: null });
    expect(said()).toBe('it has not reported yet');
    here.report('h2', observed(well('h2')));
    here.upgraded('h2', []);
    expect(said()).toBe('what it needs is not known yet: its packages are looked at');
  });

  test('that came to nothing since another version took its place is told to nobody', () => {
    const here = begin([{ ...defaultRule, minAgeMs: 3_600_000 }]);
    const told = Array.from({ length: 20 }, (_, n) => {
      const newer = need({ target: `${n + 2}`, firstSeen: here.wall.ms });
      const first = tell(here, [newer]).notices;
      here.later(3_700_000);
      return [...first, ...here.step({ kind: 'tick' }).notices].map(({ kind }) => kind);
    });
    expect(told.flat()).not.toContain('ended');
  });
});

describe('a decision of a person', () => {
  test('is remembered for every package, however many', () => {
    const here = begin([auto], { window });
    const many = Array.from({ length: 600 }, (_, n) => need({ name: `lib${n}` }));
    tell(here, many, ['h1']);
    here.act({ action: 'stop', waveId: waves(here)[0]?.id ?? '' });
    tell(here, many, ['h1']);
    expect(orders(intoWindow(here))).toEqual([]);
    expect(waves(here)).toHaveLength(1);
  });

  test('as long as something is missing of it', () => {
    const here = begin([]);
    tell(here, [need(), libc]);
    decline(here);
    tell(here, [need({ target: null, offered: [], firstSeen: null })]);
    expect(here.fleet.hosts.get('h1')?.tried).toEqual(['libssl3:amd64=2']);
    tell(here, []);
    expect(here.fleet.hosts.get('h1')?.tried).toEqual([]);
  });
});
