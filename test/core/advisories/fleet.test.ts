import { describe, expect } from '@jest/globals';
import { fc, test } from '@fast-check/jest';
import type { Advisory, AffectedRow } from '../../../src/core/advisories/advisory.ts';
import { createFleet } from '../../../src/core/advisories/fleet.ts';
import type { Fleet } from '../../../src/core/advisories/fleet.ts';
import type { Unit } from '../../../src/core/advisories/fleet-units.ts';
import { indexInventory } from '../../../src/core/advisories/index-inventory.ts';
import { textOfInventory } from '../../../src/core/advisories/inventory-text.ts';
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

const security = new Set(['security'] as const);

const put = (fleet: Fleet, host: string, has: Inventory): Unit[] => {
  const key = textOfInventory(has);
  const fresh = fleet.add(key, { inventory: has, offers: [] });
  fleet.put(host, key);
  return fresh;
};

const missing = (findings: readonly Finding[]): string[] =>
  inOrder(findings.filter(({ state, reboot }) => state === 'pending' && reboot !== true));

/** What is noted of each host. */
const noted = (fleet: Fleet): Record<string, string[]> =>
  Object.fromEntries(
    [...fleet.images()]
      .flatMap(({ hosts, installed }) => {
        const found = missing(installed.flatMap((unit) => [...unit.found.values()].flat()));
        return found.length === 0 ? [] : [...hosts].map((host) => [host, found] as const);
      })
      .sort(([a], [b]) => a.localeCompare(b)),
  );

const alone = (
  advisories: readonly Advisory[],
  hosts: ReadonlyMap<string, Inventory>,
): Record<string, string[]> =>
  Object.fromEntries(
    [...hosts]
      .map(([host, has]) => {
        const index = indexInventory(has);
        return [host, missing(advisories.flatMap((one) => matchAdvisory(one, index)))] as const;
      })
      .filter(([, findings]) => findings.length > 0)
      .sort(([a], [b]) => a.localeCompare(b)),
  );

describe('a fleet', () => {
  test.prop(
    [
      fc.array(fc.tuple(fc.constantFrom('h1', 'h2', 'h3'), fc.option(inventory)), { maxLength: 8 }),
      fc.tuple(advisory, advisory, advisory),
      fc.boolean(),
    ],
    { numRuns: 1_000 },
  )(
    'knows of each host what its own inventory would tell, whichever comes first',
    (changes, [first, changed, second], isTakenBack) => {
      const fleet = createFleet(security);
      const now = new Map<string, Inventory>();
      fleet.match(first);
      for (const [host, has] of changes) {
        if (has === null) {
          fleet.remove(host);
          now.delete(host);
        } else {
          const fresh = put(fleet, host, has);
          fleet.match(first, new Set(fresh));
          now.set(host, has);
        }
      }
      expect(noted(fleet)).toEqual(alone([first], now));
      const other = { ...second, id: 'A-2' };
      const newest = { ...changed, withdrawn: isTakenBack };
      fleet.match(newest);
      const concerned = fleet.match(other);
      expect(noted(fleet)).toEqual(alone([newest, other], now));
      const named = [...concerned].flatMap(({ hosts }) => [...hosts]).sort();
      expect(named).toEqual(Object.keys(alone([other], now)));
      const all = [...fleet.findings(newest)].flatMap(([{ hosts }, findings]) =>
        findings.length === 0 ? [] : [...hosts].map((host) => [host, inOrder(findings)] as const),
      );
      const asked = [...now].flatMap(([host, has]) => {
        const found = inOrder(matchAdvisory(newest, indexInventory(has)));
        return found.length === 0 ? [] : [[host, found] as const];
      });
      expect(all.sort()).toEqual(asked.sort());
    },
  );

  test.prop([fc.array(inventory, { minLength: 1, maxLength: 6 }), advisory])(
    'keeps one of the same, and nothing of what is gone',
    (all, one) => {
      const fleet = createFleet(security);
      const [first] = all;
      if (first === undefined) return;
      put(fleet, 'twin-1', first);
      expect(put(fleet, 'twin-2', first)).toEqual([]);
      const more = put(fleet, 'grown', {
        ...first,
        packages: [...first.packages, { name: 'new', arch: 'amd64', version: '1-1' }],
      });
      expect(more.map(({ installed }) => installed.name)).toEqual(['new']);
      all.forEach((has, index) => put(fleet, `h${index}`, has));
      fleet.match(one);
      all.forEach((_, index) => fleet.remove(`h${index}`));
      for (const host of ['twin-1', 'twin-2', 'grown', 'never-there']) fleet.remove(host);
      expect([...fleet.images()]).toEqual([]);
      expect([...fleet.match(one)]).toEqual([]);
    },
  );

  test.prop([inventory, advisory])('notes only what is asked for', (has, one) => {
    const fleet = createFleet(security);
    put(fleet, 'h1', has);
    fleet.match(one);
    fleet.match({ ...one, kind: 'bugfix' });
    expect(noted(fleet)).toEqual({});
  });
});
