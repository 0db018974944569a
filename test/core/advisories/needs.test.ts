import { describe, expect, test } from '@jest/globals';
import type { Advisory } from '../../../src/core/advisories/advisory.ts';
import type { InventoryPackage } from '../../../src/core/advisories/inventory.ts';
import { createFleet } from '../../../src/core/advisories/fleet.ts';
import type { FleetImage } from '../../../src/core/advisories/fleet-units.ts';
import { imageNeeds } from '../../../src/core/advisories/image-needs.ts';
import type { Moment } from '../../../src/core/advisories/image-needs.ts';
import type { Need } from '../../../src/core/advisories/needs.ts';

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

/** As the server does it. */
const needs = (
  packages: InventoryPackage[],
  offers: InventoryPackage[],
  advisories: Advisory[],
  { held, ...more }: Partial<Moment & Pick<FleetImage, 'held'>> = {},
  platform = 'debian-12',
): Need[] => {
  const fleet = createFleet(new Set(['security', 'bugfix']));
  fleet.add('image', { inventory: { platform, packages }, offers });
  for (const one of advisories) fleet.match(one);
  const image = fleet.image('image');
  if (image === null) throw new Error('no image');
  return imageNeeds(
    { ...image, held: held ?? image.held },
    { ...{ isExploited: () => false, firstSeen: () => null, now: 7 }, ...more },
  );
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

describe('kernels of dpkg, whose next version has another name', () => {
  const fixes = (source: string, fixed: string, distro: [string, string]): Advisory => ({
    ...advisory('DSA-9', fixed),
    affected: [
      {
        ...{ distro: distro[0], release: distro[1], channel: null, names: 'source', name: source },
        ...{ arch: null, module: null, status: 'fixed', fixed, note: null, scheme: 'deb' },
      },
    ],
  });
  const signed = (name: string, version: string): InventoryPackage => ({
    ...{ name, arch: 'amd64', version, source: 'linux-signed-amd64' },
    sourceVersion: version.replace('-', '+'),
  });
  const debian = [
    signed('linux-image-6.1.0-48-amd64', '6.1.168-1'),
    signed('linux-image-6.1.0-49-amd64', '6.1.170-1'),
    signed('linux-image-amd64', '6.1.170-1'),
  ];
  const fix = fixes('linux', '6.1.176-1', ['debian', '12']);

  test('the metapackage brings it', () => {
    const offers = [signed('linux-image-amd64', '6.1.176-1')];
    expect(needs(debian, offers, [fix])).toEqual([
      {
        ...{ name: 'linux-image-amd64', arch: 'amd64', installed: '6.1.170-1' },
        ...{ target: '6.1.176-1', offered: [{ feed: 'lists', id: 'DSA-9' }], waiting: [] },
        ...{ cves: ['CVE-2026-9'], severity: 'high', exploited: false, firstSeen: 7, held: false },
        ...{ kind: 'security', source: 'linux-signed-amd64', siblings: [] },
        fixes: [{ feed: 'lists', id: 'DSA-9' }],
        brings: ['linux-image-6.1.0-49-amd64'],
      },
    ]);
  });

  test('what it does not bring yet waits', () => {
    for (const offers of [[], [signed('linux-image-amd64', '6.1.172-1')]])
      expect(
        needs(debian, offers, [fix]).map(({ name, target, waiting }) => [
          ...[name, target, waiting.length],
        ]),
      ).toEqual([
        ['linux-image-6.1.0-49-amd64', null, 1],
        ['linux-image-amd64', null, 1],
      ]);
  });

  test('the metapackage of its own flavour', () => {
    const cloud = [
      ...[signed('linux-image-6.1.0-49-cloud-amd64', '6.1.170-1')],
      signed('linux-image-cloud-amd64', '6.1.170-1'),
    ];
    const offers = ['cloud-amd64', 'amd64'].map((one) => signed(`linux-image-${one}`, '6.1.176-1'));
    const found = needs([...debian, ...cloud], offers, [fix]);
    expect(found.map(({ name, brings }) => [name, brings])).toEqual([
      ['linux-image-amd64', ['linux-image-6.1.0-49-amd64']],
      ['linux-image-cloud-amd64', ['linux-image-6.1.0-49-cloud-amd64']],
    ]);
  });

  test('of Ubuntu, whose metapackages are of a source and have versions of their own', () => {
    const ubuntu = (name: string, version: string, source: string): InventoryPackage => ({
      ...{ name, arch: 'amd64', version, source, sourceVersion: version },
    });
    const installed = [
      ubuntu('linux-image-5.15.0-91-generic', '5.15.0-91.101', 'linux-signed'),
      ubuntu('linux-modules-5.15.0-91-generic', '5.15.0-91.101', 'linux'),
      ubuntu('linux-image-generic', '5.15.0.91.88', 'linux-meta'),
      ubuntu('linux-image-6.5.0-14-generic', '6.5.0-14.14~22.04.1', 'linux-signed-hwe-6.5'),
      ubuntu('linux-image-generic-hwe-22.04', '6.5.0.14.14~22.04.7', 'linux-meta-hwe-6.5'),
    ];
    const offers = [
      ubuntu('linux-image-generic', '5.15.0.100.97', 'linux-meta'),
      ubuntu('linux-image-generic-hwe-22.04', '6.8.0.40.40~22.04.1', 'linux-meta-hwe-6.8'),
    ];
    const on = (more: Advisory[]) =>
      needs(installed, offers, more, {}, 'ubuntu-22.04').map(({ name, target, brings }) => [
        ...[name, target, brings?.join()],
      ]);
    expect(
      on([
        fixes('linux', '5.15.0-100.110', ['ubuntu', '22.04']),
        { ...fixes('linux-hwe-6.5', '6.5.0-45.45~22.04.1', ['ubuntu', '22.04']), id: 'DSA-8' },
      ]),
    ).toEqual([
      ['linux-image-generic-hwe-22.04', '6.8.0.40.40~22.04.1', 'linux-image-6.5.0-14-generic'],
      [
        ...['linux-image-generic', '5.15.0.100.97'],
        'linux-image-5.15.0-91-generic,linux-modules-5.15.0-91-generic',
      ],
    ]);
    expect(on([fixes('linux', '5.15.0-101.111', ['ubuntu', '22.04'])])).toEqual([
      ['linux-image-5.15.0-91-generic', null, undefined],
      ['linux-modules-5.15.0-91-generic', null, undefined],
    ]);
  });

  test('what is built with a kernel comes with its own metapackage', () => {
    const of = (name: string, version: string, source: string) => ({
      ...{ name, arch: 'amd64', version, source, sourceVersion: version },
    });
    const installed = [
      of('linux-aws-headers-5.15.0-91', '5.15.0-91.101', 'linux'),
      of('linux-tools-5.15.0-91-generic', '5.15.0-91.101', 'linux'),
      of('linux-support-5.15.0-91', '5.15.0-91.101', 'linux'),
      ...['headers', 'tools', 'image'].map((kind) =>
        of(`linux-${kind}-generic`, '5.15.0.91.88', 'linux-meta'),
      ),
    ];
    const offers = ['headers', 'tools', 'image'].map((kind) =>
      of(`linux-${kind}-generic`, '5.15.0.100.97', 'linux-meta'),
    );
    const fix = fixes('linux', '5.15.0-100.110', ['ubuntu', '22.04']);
    const found = needs(installed, offers, [fix], {}, 'ubuntu-22.04');
    expect(found.map(({ name, target, brings }) => [name, target, brings?.join()])).toEqual([
      ['linux-headers-generic', '5.15.0.100.97', 'linux-aws-headers-5.15.0-91'],
      // Nothing brings the next one of it.
      ['linux-support-5.15.0-91', null, undefined],
      ['linux-tools-generic', '5.15.0.100.97', 'linux-tools-5.15.0-91-generic'],
    ]);
  });
});
