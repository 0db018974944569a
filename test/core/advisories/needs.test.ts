import { expect, test } from '@jest/globals';
import type { Advisory } from '../../../src/core/advisories/advisory.ts';
import { indexInventory } from '../../../src/core/advisories/index-inventory.ts';
import type { Inventory, InventoryPackage } from '../../../src/core/advisories/inventory.ts';
import { matchAdvisory } from '../../../src/core/advisories/match.ts';
import { asOffered, findingKey, needsOf } from '../../../src/core/advisories/needs.ts';
import type { Need, NeedsOptions } from '../../../src/core/advisories/needs.ts';

const advisory = (id: string, fixed: string, more: Partial<Advisory> = {}): Advisory => ({
  ...{ feed: 'lists', id, kind: 'security', title: '', cves: [`CVE-2026-${id.slice(4)}`] },
  ...{ published: null, modified: null, withdrawn: false, severity: 'high', vendorSeverity: null },
  affected: [
    {
      ...{ distro: 'debian', release: '12', channel: null, names: 'source', name: 'openssl' },
      ...{ arch: null, module: null, status: 'fixed', fixed, note: null, scheme: 'deb' },
    },
  ],
  ...more,
});

const openssl = (version: string, more: Partial<InventoryPackage> = {}): InventoryPackage => ({
  ...{ name: 'libssl3', arch: 'amd64', version, source: 'openssl' },
  ...more,
});

const needs = (
  packages: InventoryPackage[],
  offers: InventoryPackage[],
  advisories: Advisory[],
  more: Partial<NeedsOptions> = {},
): Need[] => {
  const inventory: Inventory = { platform: 'debian-12', packages };
  const of = (one: Inventory, state: string) =>
    advisories
      .flatMap((each) => matchAdvisory(each, indexInventory(one)))
      .filter((finding) => finding.state === state);
  return needsOf({
    scheme: 'deb',
    pending: of(inventory, 'pending'),
    appliedByOffers: new Set(of(asOffered(inventory, offers), 'applied').map(findingKey)),
    ...{ offers, held: new Set(), isExploited: () => false, firstSeen: () => null, now: 7 },
    ...more,
  });
};

test('the version to upgrade to is the one that is offered, not the one that the advisory names', () => {
  // Rebuilt for the architecture: the binary has another version than the source that is named.
  const offer = openssl('3.0.2+b1', { sourceVersion: '3.0.2' });
  expect(needs([openssl('3.0.1')], [offer], [advisory('DSA-1', '3.0.2')])).toEqual([
    {
      ...{ name: 'libssl3', arch: 'amd64', installed: '3.0.1', target: '3.0.2+b1' },
      ...{ source: 'openssl', siblings: [], fixes: [{ feed: 'lists', id: 'DSA-1' }] },
      ...{ offered: [{ feed: 'lists', id: 'DSA-1' }], waiting: [], cves: ['CVE-2026-1'] },
      ...{ kind: 'security', severity: 'high', exploited: false, firstSeen: 7, held: false },
    },
  ]);
});

test('what no repository offers yet waits, and an offer that fixes only some is told apart', () => {
  const both = [advisory('DSA-1', '3.0.2'), advisory('DSA-2', '3.0.3', { severity: 'critical' })];
  expect(needs([openssl('3.0.1')], [], both)[0]).toMatchObject({
    ...{ target: null, offered: [], severity: 'critical', firstSeen: null },
    waiting: [{ id: 'DSA-1' }, { id: 'DSA-2' }],
  });
  expect(needs([openssl('3.0.1')], [openssl('3.0.2')], both)[0]).toMatchObject({
    ...{ target: '3.0.2', severity: 'high', cves: ['CVE-2026-1'] },
    ...{ offered: [{ id: 'DSA-1' }], waiting: [{ id: 'DSA-2' }] },
  });
});

test('a fix that is installed needs nothing', () => {
  expect(needs([openssl('3.0.2')], [], [advisory('DSA-1', '3.0.2')])).toEqual([]);
});

test('what is exploited, held, and was seen before, is said so', () => {
  const [found] = needs([openssl('3.0.1')], [openssl('3.0.2')], [advisory('DSA-1', '3.0.2')], {
    isExploited: (cve) => cve === 'CVE-2026-1',
    held: new Set(['libssl3:amd64']),
    firstSeen: (name, version) => (name === 'libssl3' && version === '3.0.2' ? 3 : null),
  });
  expect(found).toMatchObject({ exploited: true, held: true, firstSeen: 3 });
});

test('what else of its source is upgraded with it is named, what is held is not', () => {
  const source = 'openssl';
  const offers = [
    openssl('3.0.2'),
    { name: 'openssl', arch: 'amd64', version: '3.0.2', source },
    { name: 'libssl-dev', arch: 'amd64', version: '3.0.2', source },
    { name: 'nano', arch: 'amd64', version: '7' },
  ];
  const [found] = needs([openssl('3.0.1')], offers, [advisory('DSA-1', '3.0.2')], {
    held: new Set(['libssl-dev:amd64']),
  });
  expect(found).toMatchObject({ source, siblings: ['openssl'] });
});

test('one fix has one name, whichever feeds have it', () => {
  const cves = ['CVE-2026-1'];
  const known = [
    advisory('DSA-1-1', '3.0.2', { cves }),
    advisory('DSA-1-1', '3.0.2', { cves, feed: 'osv' }),
    advisory('CVE-2026-1', '3.0.2', { cves, feed: 'tracker' }),
  ];
  const [found] = needs([openssl('3.0.1')], [openssl('3.0.2')], known);
  expect(found?.fixes).toEqual([{ feed: 'lists', id: 'DSA-1-1' }]);
  expect(found?.offered).toHaveLength(3);
});
