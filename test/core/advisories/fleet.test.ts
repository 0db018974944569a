import { describe, expect } from '@jest/globals';
import { fc, test } from '@fast-check/jest';
import type { Advisory, AffectedRow } from '../../../src/core/advisories/advisory.ts';
import { createFleet } from '../../../src/core/advisories/fleet.ts';
import { indexInventory } from '../../../src/core/advisories/index-inventory.ts';
import type { Inventory } from '../../../src/core/advisories/inventory.ts';
import { matchAdvisory } from '../../../src/core/advisories/match.ts';
import type { Finding } from '../../../src/core/advisories/match.ts';

const name = fc.constantFrom('a', 'linux-image-1-1-amd64', 'linux-image-1-2-amd64', 'linux');
const version = fc.constantFrom('1-1', '1-2', '2:1-1', '1-2+b1');

const inventory: fc.Arbitrary<Inventory> = fc.record({
  platform: fc.constantFrom('debian-12', 'debian-12.5', 'ubuntu-22.04', 'almalinux-9.4'),
  channels: fc.constantFrom([], ['esm-infra']),
  kernel: fc.constantFrom(null, '1-1-amd64', '1-2-amd64'),
  packages: fc.uniqueArray(
    fc.record({
      ...{ name, arch: fc.constantFrom('amd64', 'all'), version, source: name },
      repository: fc.constantFrom(null, 'epel', 'docker'),
    }),
    { maxLength: 4, selector: (one) => one.name },
  ),
});

const row: fc.Arbitrary<AffectedRow> = fc
  .record({
    place: fc.constantFrom(
      { distro: 'debian', release: '12', scheme: 'deb' } as const,
      { distro: 'ubuntu', release: '22.04', scheme: 'deb' } as const,
      { distro: 'almalinux', release: '9', scheme: 'rpm' } as const,
      { distro: 'almalinux', release: '9.4', scheme: 'rpm' } as const,
    ),
    channel: fc.constantFrom(null, 'esm-infra', 'epel'),
    names: fc.constantFrom('source' as const, 'binary' as const),
    ...{ name, fixed: version, arch: fc.constantFrom(null, 'amd64', 'arm64') },
  })
  .map(({ place, ...rest }) => ({
    ...place,
    ...rest,
    ...{ module: null, status: 'fixed' as const, note: null },
  }));

const advisory = fc.array(row, { maxLength: 4 }).map((affected): Advisory => ({
  ...{ feed: 'f', id: 'A-1', kind: 'security', title: '', cves: [], published: null },
  ...{ modified: null, withdrawn: false, severity: 'high', vendorSeverity: null, affected },
}));

/** No order is promised. */
const inOrder = (findings: readonly Finding[]): string[] =>
  findings.map((one) => JSON.stringify(one)).sort();

const byHost = (found: ReturnType<ReturnType<typeof createFleet>['match']>) =>
  Object.fromEntries(
    found
      .flatMap(({ hosts, findings }) =>
        [...hosts].map((host) => [host, inOrder(findings)] as const),
      )
      .sort(([a], [b]) => a.localeCompare(b)),
  );

describe('a fleet', () => {
  test.prop(
    [
      fc.array(fc.tuple(fc.constantFrom('h1', 'h2', 'h3'), fc.option(inventory)), { maxLength: 8 }),
      advisory,
    ],
    { numRuns: 1_000 },
  )('finds for each host what its own inventory would', (changes, one) => {
    const fleet = createFleet();
    const now = new Map<string, Inventory>();
    for (const [host, has] of changes) {
      if (has === null) {
        fleet.remove(host);
        now.delete(host);
      } else {
        fleet.put(host, has);
        now.set(host, has);
      }
    }
    const alone = [...now]
      .map(([host, has]) => [host, inOrder(matchAdvisory(one, indexInventory(has)))] as const)
      .filter(([, findings]) => findings.length > 0)
      .sort(([a], [b]) => a.localeCompare(b));
    expect(byHost(fleet.match(one))).toEqual(Object.fromEntries(alone));
  });

  test.prop([fc.array(inventory, { minLength: 1, maxLength: 6 }), advisory])(
    'keeps one of the same, and nothing of what is gone',
    (all, one) => {
      const fleet = createFleet();
      const [first] = all;
      if (first === undefined) return;
      fleet.put('twin-1', first);
      fleet.put('twin-2', { ...first, packages: first.packages.toReversed() });
      expect(fleet.images()).toBe(1);
      all.forEach((has, index) => fleet.put(`h${index}`, has));
      all.forEach((_, index) => fleet.remove(`h${index}`));
      fleet.remove('twin-1');
      fleet.remove('twin-2');
      fleet.remove('never-there');
      expect(fleet.images()).toBe(0);
      expect(fleet.match(one)).toEqual([]);
    },
  );
});
