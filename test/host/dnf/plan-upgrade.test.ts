import { describe, expect, test } from '@jest/globals';
import type { WantedPackage } from '../../../src/core/messages.ts';
import { parseAdvisoryList, parseCheckUpdate } from '../../../src/host/dnf/parse-offers.ts';
import type { OfferedAdvisory, RpmOffer } from '../../../src/host/dnf/parse-offers.ts';
import { parseRpmPackages } from '../../../src/host/dnf/parse-rpm-packages.ts';
import type { RpmPackage } from '../../../src/host/dnf/parse-rpm-packages.ts';
import { parseTransaction } from '../../../src/host/dnf/parse-transaction.ts';
import {
  dnfOperands,
  planByAdvisories,
  planUpgrade,
  relatedPackages,
} from '../../../src/host/dnf/plan-upgrade.ts';
import type { RpmPlan } from '../../../src/host/dnf/plan-upgrade.ts';
import type { RpmOffers } from '../../../src/host/dnf/read-offers.ts';
import { duplicates } from '../../../src/host/dnf/unsettled.ts';
import { recorded } from './recorded.ts';

const installed = (name: string, version: string, more: Partial<RpmPackage> = {}): RpmPackage => ({
  ...{ name, arch: 'x86_64', version, source: name, sourceVersion: version },
  ...{ module: null, vendor: null, installedAtMs: null },
  ...more,
});
const offer = (name: string, version: string, more: Partial<RpmOffer> = {}): RpmOffer => ({
  ...{ name, arch: 'x86_64', version, source: name, sourceVersion: version, repository: 'base' },
  ...more,
});
const offers = (
  shown: RpmOffer[],
  {
    candidates = {},
    excluded = [],
    otherStreams = [],
  }: {
    candidates?: Record<string, string>;
    excluded?: RpmOffer[];
    otherStreams?: RpmOffer[];
  } = {},
): RpmOffers => ({
  ...{ offers: shown, excluded, otherStreams },
  candidates: new Map(Object.entries(candidates)),
});
const want = (
  name: string,
  how: WantedPackage['want'] = 'newest',
  version: string | null = null,
): WantedPackage => ({ name, want: how, version });
const targets = (plan: RpmPlan): string[] | string =>
  plan.ok ? plan.targets.map(({ name, from, to }) => `${name} ${from} ${to}`) : plan.reason.kind;
const advisory = (id: string, name: string, version: string, security = true): OfferedAdvisory => ({
  ...{ id, security, name, arch: 'x86_64', version },
});

const three = ['2-1', '3-1', '4-1'].map((version) => offer('ssl', version));

describe('named packages', () => {
  const host = [installed('ssl', '1-1')];

  test('newest is what dnf itself would take, not the highest number there is', () => {
    const found = offers(three, { candidates: { 'ssl.x86_64': '3-1' } });
    expect(targets(planUpgrade(host, found, [want('ssl')]))).toEqual(['ssl 1-1 3-1']);
    // Nothing to take, such as one of a repository with a lower priority.
    expect(targets(planUpgrade(host, offers(three), [want('ssl')]))).toEqual([]);
  });

  test('at least: dnf’s own choice if that is enough, else the smallest step', () => {
    const found = offers(three, { candidates: { 'ssl.x86_64': '3-1' } });
    const atLeast = (version: string): ReturnType<typeof targets> =>
      targets(planUpgrade(host, found, [want('ssl', 'at-least', version)]));
    expect(atLeast('2-1')).toEqual(['ssl 1-1 3-1']);
    expect(atLeast('4-1')).toEqual(['ssl 1-1 4-1']);
    expect(atLeast('1-1')).toEqual([]);
    expect(atLeast('5-1')).toBe('unknown-version');
  });

  test('all that is not offered is told at once', () => {
    const two = [installed('ssl', '1-1'), installed('zlib', '1-1')];
    const asked = [want('ssl', 'exact', '9-1'), want('zlib', 'exact', '9-1')];
    const plan = planUpgrade(two, offers(three), asked);
    expect(plan.ok ? [] : plan.reason.missing).toEqual([
      { name: 'ssl', arch: 'x86_64' },
      { name: 'zlib', arch: 'x86_64' },
    ]);
  });

  test('exact, by any way of writing an architecture; never back', () => {
    const exact = (name: string, version: string): ReturnType<typeof targets> =>
      targets(planUpgrade(host, offers(three), [want(name, 'exact', version)]));
    expect(exact('ssl', '3-1')).toEqual(['ssl 1-1 3-1']);
    expect(exact('ssl.x86_64', '2-1')).toEqual(['ssl 1-1 2-1']);
    expect(exact('ssl:x86_64', '2-1')).toEqual(['ssl 1-1 2-1']);
    expect(exact('ssl', '0.9-1')).toBe('would-downgrade');
    expect(exact('nginx', '1-1')).toBe('not-installed');
  });

  test('kept by an exclude or lock: said so, also where just the newest is wanted', () => {
    const kept = offers([], { excluded: three });
    for (const one of [want('ssl'), want('ssl', 'at-least', '2-1'), want('ssl', 'exact', '2-1')])
      expect(targets(planUpgrade(host, kept, [one]))).toBe('held');
  });

  test('of a module stream that is not enabled: named', () => {
    const plan = planUpgrade(host, offers([], { otherStreams: three }), [
      want('ssl', 'at-least', '2-1'),
    ]);
    expect(plan).toMatchObject({
      ok: false,
      reason: { message: expect.stringContaining('module stream') as unknown },
    });
  });

  test('all binaries of one source together; a sibling that is kept is left out and named', () => {
    const of = { source: 'ssl', sourceVersion: '2-1' };
    const all = [
      installed('ssl', '1-1'),
      ...['ssl-libs', 'ssl-devel'].map((name) => installed(name, '1-1', { source: 'ssl' })),
    ];
    expect(relatedPackages(all, ['ssl-libs']).map(({ name }) => name)).toHaveLength(3);
    const found = offers(
      [offer('ssl', '2-1'), offer('ssl-libs', '2-1', of), offer('ssl-libs', '3-1')],
      {
        excluded: [offer('ssl-devel', '2-1', of)],
      },
    );
    const plan = planUpgrade(all, found, [want('ssl', 'exact', '2-1')]);
    expect(targets(plan)).toEqual(['ssl 1-1 2-1', 'ssl-libs 1-1 2-1']);
    expect(plan).toMatchObject({ held: ['ssl-devel.x86_64'] });
  });

  test('of several kernels the newest counts', () => {
    const kernels = [installed('kernel', '5-1'), installed('kernel', '5-2')];
    const found = offers([offer('kernel', '5-2'), offer('kernel', '5-3')]);
    const plan = planUpgrade(kernels, found, [want('kernel', 'at-least', '5-2')]);
    expect(targets(plan)).toEqual([]);
    const next = planUpgrade(kernels, found, [want('kernel', 'at-least', '5-3')]);
    expect(next.ok && dnfOperands(next.targets)).toEqual(['kernel-5-3.x86_64']);
  });
});

describe('by advisories', () => {
  const host = [installed('ssl', '1-1'), installed('zip', '7-1')];

  test('to the smallest version with all of their fixes; others are not touched', () => {
    const fixes = [
      advisory('A', 'ssl', '2-1'),
      advisory('B', 'ssl', '3-1'),
      advisory('C', 'xz', '9-1'),
    ];
    expect(targets(planByAdvisories(host, offers(three), fixes))).toEqual(['ssl 1-1 3-1']);
    // The fix itself is gone from the mirror, a later version has it.
    expect(targets(planByAdvisories(host, offers([three[2] as RpmOffer]), fixes))).toEqual([
      'ssl 1-1 4-1',
    ]);
    // Not there yet: an earlier fix is better than none.
    expect(targets(planByAdvisories(host, offers([three[0] as RpmOffer]), fixes))).toEqual([
      'ssl 1-1 2-1',
    ]);
    expect(targets(planByAdvisories(host, offers([]), fixes))).toEqual([]);
  });

  test('what is kept is named', () => {
    const plan = planByAdvisories(host, offers([], { excluded: three }), [
      advisory('B', 'ssl', '3-1'),
    ]);
    expect(plan).toMatchObject({ ok: true, targets: [], held: ['ssl.x86_64'] });
  });

  test('on an EL 9 host: exactly what dnf upgraded by `upgrade --security`', () => {
    const before = parseRpmPackages(recorded('dnf4-el9-rpm-qa-before.tsv.gz'));
    const candidates = parseCheckUpdate(recorded('dnf4-el9-check-update.txt'));
    const shown = [...candidates].map(([name, version]) =>
      offer(name.replace(/\.noarch$/, ''), version, { arch: 'noarch', source: name }),
    );
    const security = parseAdvisoryList(recorded('dnf4-el9-updateinfo-list-security.txt.gz'), 4);
    const plan = planByAdvisories(before, offers(shown), security);
    const real = parseTransaction(recorded('dnf4-el9-upgrade-security.txt.gz')).upgrades;
    expect(plan.ok && plan.targets.map(({ name, to }) => `${name} ${to}`).sort()).toEqual(
      [
        // Upgraded shortly before it, by an advisory of its own.
        'PackageKit-gstreamer-plugin 1.2.6-2.el9_8',
        ...real.map(({ name, version }) => `${name} ${version}`),
      ].sort(),
    );
  });
});

test('packages in several versions, newest first', () => {
  const found = duplicates(parseRpmPackages(recorded('rpm-qa.tsv')));
  expect(found).toEqual([
    { name: 'kernel', arch: 'noarch', newest: '5.14.0-2.el9', older: ['5.14.0-1.el9'] },
  ]);
});
