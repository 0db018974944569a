import { describe, expect, test } from '@jest/globals';
import type { WantedPackage } from '../../../src/core/messages.ts';
import type { DpkgPackage } from '../../../src/host/apt/parse-dpkg-status.ts';
import {
  aptOperands,
  planSecurityUpgrade,
  planUpgrade,
  relatedPackages,
} from '../../../src/host/apt/plan-upgrade.ts';
import type { UpgradePlan } from '../../../src/host/apt/plan-upgrade.ts';
import type { Offer, PackageOffers } from '../../../src/host/apt/read-offers.ts';

const have = (spec: string, source: string, want: DpkgPackage['want'] = 'install'): DpkgPackage => {
  const [name = '', arch = '', version = ''] = spec.split(' ');
  const rest = { source, sourceVersion: version, want, flag: 'ok', state: 'installed' } as const;
  return { name, arch, version, ...rest };
};
const offer = (version: string, source: string, more: Partial<Offer> = {}): Offer => ({
  ...{ version, priority: 500, installed: false, security: false, available: true },
  ...{ source, sourceVersion: version.replace(/\+b\d+$/, '') },
  ...more,
});
const offers = (label: string, candidate: string | null, list: Offer[]): PackageOffers => {
  const [name = '', arch = ''] = label.split(':');
  return { name, arch, candidate, offers: list };
};
const want = (
  name: string,
  how: WantedPackage['want'],
  version: string | null = null,
): WantedPackage => ({
  name,
  want: how,
  version,
});

const installed = [
  have('libssl3 amd64 3.0-1', 'openssl'),
  have('openssl amd64 3.0-1', 'openssl'),
  have('bash amd64 5-1', 'bash'),
];
const both = (...versions: string[]): PackageOffers[] =>
  ['libssl3:amd64', 'openssl:amd64'].map((label) =>
    offers(
      label,
      versions[0] ?? null,
      versions.map((one) => offer(one, 'openssl')),
    ),
  );
const known = [
  ...both('3.0-3', '3.0-2', '3.0-1'),
  offers('bash:amd64', '5-1', [offer('5-1', 'bash')]),
];

const operands = (plan: UpgradePlan): string[] | string =>
  plan.ok ? aptOperands(plan.targets) : plan.reason.kind;

describe('named packages', () => {
  test('every installed binary of the same source is asked about', () => {
    const names = relatedPackages(installed, [want('libssl3', 'newest')]).map(({ name }) => name);
    expect(names).toEqual(['libssl3', 'openssl']);
  });

  test.each<[string, WantedPackage, string[] | string]>([
    ['newest', want('libssl3', 'newest'), ['libssl3:amd64=3.0-3', 'openssl:amd64=3.0-3']],
    [
      'with its architecture',
      want('libssl3:amd64', 'newest'),
      ['libssl3:amd64=3.0-3', 'openssl:amd64=3.0-3'],
    ],
    ['exact', want('libssl3', 'exact', '3.0-2'), ['libssl3:amd64=3.0-2', 'openssl:amd64=3.0-2']],
    [
      'at least: what apt would take',
      want('openssl', 'at-least', '3.0-2'),
      ['openssl:amd64=3.0-3', 'libssl3:amd64=3.0-3'],
    ],
    ['at least what is there', want('openssl', 'at-least', '3.0-1'), []],
    ['at least something older', want('openssl', 'at-least', '2.9'), []],
    ['exactly what is there, written otherwise', want('openssl', 'exact', '0:3.0-1'), []],
    ['nothing newer', want('bash', 'newest'), []],
    ['exact, not offered', want('openssl', 'exact', '3.0-9'), 'unknown-version'],
    ['at least, not offered', want('openssl', 'at-least', '3.0-9'), 'unknown-version'],
    ['exact, older', want('openssl', 'exact', '2.9-1'), 'would-downgrade'],
    ['not installed', want('nginx', 'newest'), 'not-installed'],
    ['exact without a version', want('openssl', 'exact'), 'unknown-version'],
  ])('%s', (_, wanted, expected) => {
    expect(operands(planUpgrade(installed, known, [wanted]))).toEqual(expected);
  });

  test('what is not offered is said, with what is', () => {
    const plan = planUpgrade(installed, known, [want('openssl', 'exact', '3.0-9')]);
    expect(plan.ok ? '' : plan.reason.message).toBe(
      'openssl:amd64: the repositories offer 3.0-3, 3.0-2, 3.0-1, not 3.0-9',
    );
  });

  test('all that is not offered is told at once, and nothing that is', () => {
    const asked = [
      want('openssl', 'exact', '3.0-9'),
      want('libssl3', 'exact', '3.0-2'),
      want('bash', 'exact', '6-1'),
    ];
    const plan = planUpgrade(installed, known, asked);
    expect(plan.ok ? [] : plan.reason.missing).toEqual([
      { name: 'openssl', arch: 'amd64' },
      { name: 'bash', arch: 'amd64' },
    ]);
    expect(plan.ok ? '' : plan.reason.message).toMatch(/not 3\.0-9; bash:amd64: .* not 6-1$/);
  });

  test('at least, with an older candidate by pin: the smallest step that is enough', () => {
    const pinned = both('3.0-3', '3.0-2', '3.0-1').map((one) => ({ ...one, candidate: '3.0-1' }));
    const plan = planUpgrade(installed, pinned, [want('openssl', 'at-least', '3.0-2')]);
    expect(operands(plan)).toEqual(['openssl:amd64=3.0-2', 'libssl3:amd64=3.0-2']);
  });

  test('a version that a pin forbids, or that no repository has, is none', () => {
    const forbidden = [
      offers('bash:amd64', '5-1', [
        offer('5-3', 'bash', { priority: -1 }),
        offer('5-2', 'bash', { available: false }),
      ]),
    ];
    const plan = planUpgrade(installed, forbidden, [want('bash', 'at-least', '5-2')]);
    expect(operands(plan)).toBe('unknown-version');
  });

  test('a binary that was rebuilt alone goes with its source', () => {
    const rebuilt = [
      offers('libssl3:amd64', '3.0-2+b1', [offer('3.0-2+b1', 'openssl')]),
      offers('openssl:amd64', '3.0-2', [offer('3.0-2', 'openssl')]),
    ];
    const plan = planUpgrade(installed, rebuilt, [want('openssl', 'exact', '3.0-2')]);
    expect(operands(plan)).toEqual(['openssl:amd64=3.0-2', 'libssl3:amd64=3.0-2+b1']);
  });

  test('a held package is refused, a held sibling left out and named', () => {
    const held = [
      have('libssl3 amd64 3.0-1', 'openssl', 'hold'),
      have('openssl amd64 3.0-1', 'openssl'),
    ];
    expect(operands(planUpgrade(held, known, [want('libssl3', 'newest')]))).toBe('held');
    expect(operands(planUpgrade(held, known, [want('libssl3', 'at-least', '3.0-1')]))).toEqual([]);
    const plan = planUpgrade(held, known, [want('openssl', 'newest')]);
    expect(operands(plan)).toEqual(['openssl:amd64=3.0-3']);
    expect(plan.ok && plan.held).toEqual(['libssl3:amd64']);
  });

  test('both architectures of a package', () => {
    const two = [
      have('libz amd64 1', 'zlib'),
      have('libz i386 1', 'zlib'),
      have('zdoc all 1', 'zlib'),
    ];
    const each = ['libz:amd64', 'libz:i386', 'zdoc:all'].map((label) =>
      offers(label, '2', [offer('2', 'zlib')]),
    );
    expect(operands(planUpgrade(two, each, [want('libz', 'newest')]))).toEqual([
      'libz:amd64=2',
      'libz:i386=2',
      'zdoc=2',
    ]);
  });
});

describe('all security updates', () => {
  const secure = (version: string, source: string): Offer =>
    offer(version, source, { security: true });

  test('only what a security repository has, even if another has a newer one', () => {
    const plan = planSecurityUpgrade(installed, [
      offers('libssl3:amd64', '3.0-9', [offer('3.0-9', 'openssl'), secure('3.0-2', 'openssl')]),
      offers('openssl:amd64', '3.0-9', [offer('3.0-9', 'openssl'), offer('3.0-2', 'openssl')]),
      offers('bash:amd64', '5-2', [offer('5-2', 'bash')]),
    ]);
    expect(operands(plan)).toEqual(['libssl3:amd64=3.0-2', 'openssl:amd64=3.0-2']);
  });

  test('older ones, installed ones and held packages are left alone', () => {
    const held = [...installed.slice(0, 2), have('bash amd64 5-1', 'bash', 'hold')];
    const plan = planSecurityUpgrade(held, [
      offers('libssl3:amd64', '3.0-1', [secure('3.0-1', 'openssl'), secure('2.9', 'openssl')]),
      offers('bash:amd64', '5-1', [secure('5-2', 'bash')]),
    ]);
    expect(operands(plan)).toEqual([]);
    expect(plan.ok && plan.held).toEqual(['bash:amd64']);
  });
});
