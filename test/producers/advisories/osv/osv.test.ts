import { describe, expect, test } from '@jest/globals';
import { indexInventory } from '../../../../src/core/advisories/index-inventory.ts';
import { matchAdvisory } from '../../../../src/core/advisories/match.ts';
import { scopeOf } from '../../../../src/producers/advisories/osv/ecosystem.ts';
import { osv } from '../../../../src/producers/advisories/osv/source.ts';
import { fileOf, fixture, parsed } from '../feed-files.ts';

const names = [
  ...['ALSA-2023_4064', 'RLSA-2021_3891', 'RHSA-2024_8709', 'DSA-3029-1'],
  ...['USN-5614-1', 'UBUNTU-CVE-2014-2901', 'UBUNTU-CVE-2014-9913'],
];
const files = names.map((name) => ({ name: `${name}.json`, content: fixture(`osv/${name}.json`) }));

const one = async (record: unknown) => parsed(osv, [fileOf('x.json', JSON.stringify(record))]);

describe('ecosystems', () => {
  test.each([
    ['Debian:12', '', 'debian 12  source'],
    ['Debian:6.0', '', 'debian 6  source'],
    ['Debian:3.1', '', 'debian 3.1  source'],
    ['Ubuntu:22.04:LTS', '', 'ubuntu 22.04  source'],
    ['Ubuntu:25.04', '', 'ubuntu 25.04  source'],
    [
      'Ubuntu:Pro:16.04:LTS',
      'pkg:deb/ubuntu/x?arch=source&distro=esm-apps/xenial',
      'ubuntu 16.04 esm-apps source',
    ],
    [
      'Ubuntu:Pro:18.04:LTS',
      'pkg:deb/ubuntu/x?distro=esm-infra%2Fbionic',
      'ubuntu 18.04 esm-infra source',
    ],
    [
      'Ubuntu:Pro:14.04:LTS',
      'pkg:deb/ubuntu/x?distro=esm-infra-legacy/trusty',
      'ubuntu 14.04 esm-infra-legacy source',
    ],
    ['Ubuntu:Pro:18.04:LTS', '', 'ubuntu 18.04 pro source'],
    ['Ubuntu:Pro:FIPS-updates:20.04:LTS', '', 'ubuntu 20.04 fips-updates source'],
    ['Ubuntu:Pro:22.04:LTS:Realtime:Kernel', '', 'ubuntu 22.04 realtime source'],
    ['Ubuntu:22.04:LTS:for:NVIDIA:BlueField', '', 'ubuntu 22.04 nvidia-bluefield source'],
    ['AlmaLinux:9', '', 'almalinux 9  binary'],
    ['Rocky Linux:8', '', 'rocky 8  source'],
    ['Rocky Linux:8', 'pkg:rpm/rocky-linux/x?distro=rocky-linux-8&epoch=0', 'rocky 8  source'],
    ['Rocky Linux:9', 'pkg:rpm/x?distro=rocky-linux-9-aarch64&epoch=0', 'rocky 9  source'],
    ['Rocky Linux:8', 'pkg:rpm/x?distro=rocky-linux-8-4-legacy&epoch=0', 'rocky 8  source'],
    [
      'Rocky Linux:8',
      'pkg:rpm/x?epoch=0&distro=rocky-linux-8-sig-cloud',
      'rocky 8 sig-cloud source',
    ],
    ['Red Hat:enterprise_linux:9::appstream', '', 'rhel 9  binary'],
    ['Red Hat:enterprise_linux:9.4::baseos', '', 'rhel 9  binary'],
    ['Red Hat:rhel_eus:9.2::appstream', '', 'rhel 9.2 eus binary'],
    ['Red Hat:ocp_tools:4.15::el9', '', 'rhel 9 ocp-tools-4.15 binary'],
  ])('%s %s', (ecosystem, purl, expected) => {
    const scope = scopeOf(ecosystem, purl);
    expect([scope?.distro, scope?.release, scope?.channel, scope?.names].join(' ')).toBe(expected);
  });

  test.each(['npm', 'Debian', 'Alpine:v3.20', 'Red Hat:jboss_fuse:7', 'Ubuntu:Pro', ''])(
    'of no host of ours: %s',
    (ecosystem) => {
      expect(scopeOf(ecosystem)).toBeNull();
    },
  );
});

describe('what a host must be attached to', () => {
  const record = (id: string, ecosystem: string, availability: string | null, purl?: string) => ({
    id,
    affected: [
      {
        package: { ecosystem, name: 'linux', ...(purl === undefined ? {} : { purl }) },
        ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '2-1' }] }],
        ...(availability === null ? {} : { ecosystem_specific: { availability } }),
      },
    ],
  });
  const pro = 'Ubuntu:Pro:18.04:LTS';
  const esmApps = 'pkg:deb/ubuntu/linux?distro=esm-apps/bionic';

  test.each<[ReturnType<typeof record>, string | null]>([
    [record('USN-1-1', pro, 'Available with Ubuntu Pro (Infra-only): https://x'), 'esm-infra'],
    [record('USN-1-1', pro, 'available with Ubuntu Pro (infra-only)'), 'esm-infra'],
    [record('USN-1-1', pro, 'Available with Ubuntu Pro: https://ubuntu.com/pro'), 'pro'],
    [
      record('USN-1-1', pro, 'Available with Ubuntu Pro with Legacy support add-on: https://x'),
      'esm-infra-legacy',
    ],
    // The address of the archive says it more exactly than words.
    [record('USN-1-1', pro, 'Available with Ubuntu Pro (Infra-only)', esmApps), 'esm-apps'],
    [
      record('USN-1-1', 'Ubuntu:Pro:FIPS:18.04:LTS', 'Available with Ubuntu Pro (Infra-only)'),
      'fips',
    ],
    [record('USN-1-1', 'Ubuntu:22.04:LTS', 'No subscription required'), null],
    [record('USN-1-1', 'Ubuntu:22.04:LTS', 'Livepatch subscription required'), 'livepatch'],
    [record('LSN-1-1', 'Ubuntu:22.04:LTS', null), 'livepatch'],
    [record('LSN-1-1', 'Ubuntu:22.04:LTS', 'No subscription required'), 'livepatch'],
  ])('%j', async (given, channel) => {
    const { advisories } = await one(given);
    expect(advisories[0]?.affected.map((row) => row.channel)).toEqual([channel]);
  });
});

test("a real record of Rocky Linux's cloud group is for those who have its kernel", async () => {
  const name = 'RXSA-2023_0101.json';
  const { advisories } = await parsed(osv, [fileOf(name, fixture(`osv/${name}`))]);
  const kernel = { name: 'kernel', arch: 'x86_64', version: '4.18.0-425.3.1.el8' };
  const on = (...channels: string[]): string[] =>
    advisories.flatMap((advisory) =>
      matchAdvisory(
        advisory,
        indexInventory({ platform: 'rocky-8', packages: [kernel], channels }),
      ).map(({ fixed, state }) => `${fixed} ${state}`),
    );
  expect(on()).toEqual([]);
  expect(on('sig-cloud')).toEqual(['4.18.0-425.10.1.el8_7.cloud pending']);
});

describe('records', () => {
  test('real ones of each distribution', async () => {
    const { advisories, problems } = await parsed(
      osv,
      files.map(({ name, content }) => fileOf(name, content)),
    );
    expect(problems).toEqual([]);
    expect(
      advisories.map(({ id, severity, withdrawn, cves, affected }) => [
        ...[id, severity, withdrawn, cves.length, affected.length],
        `${affected[0]?.distro} ${affected[0]?.name} ${affected[0]?.fixed}`,
      ]),
    ).toMatchSnapshot();
  });

  test('without CVEs of its own a record of one CVE names it, and a withdrawal is told', async () => {
    const { advisories } = await one({
      id: 'UBUNTU-CVE-2020-1234',
      withdrawn: '2024-01-01T00:00:00Z',
    });
    expect(advisories).toMatchObject([
      { id: 'UBUNTU-CVE-2020-1234', cves: ['CVE-2020-1234'], withdrawn: true, affected: [] },
    ]);
  });

  test('versions that are listed where there is no range', async () => {
    const { advisories } = await one({
      id: 'DSA-1-1',
      affected: [
        { package: { ecosystem: 'Debian:12', name: 'a' }, versions: ['1.0-1', '1.0-2'] },
        { package: { ecosystem: 'AlmaLinux:9', name: 'a' }, versions: ['0:1-1'], ranges: [] },
        {
          ...{ package: { ecosystem: 'Debian:12', name: 'b' }, versions: ['1.0-1'] },
          ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '2' }] }],
        },
        { package: { ecosystem: 'Debian:12', name: 'c' } },
      ],
    });
    expect(
      advisories[0]?.affected.map(({ name, versions, status }) => [name, versions, status]),
    ).toEqual([
      ['a', ['1.0-1', '1.0-2'], 'affected'],
      ['a', ['1-1'], 'affected'],
      ['b', undefined, 'fixed'],
    ]);
  });

  test('spans of versions, the end of support, and what is no issue of security', async () => {
    const affected = (name: string, events: object[], urgency?: string) => ({
      package: { ecosystem: 'Debian:12', name },
      ranges: [
        { type: 'ECOSYSTEM', events },
        { type: 'GIT', events: [{ introduced: 'abc' }] },
      ],
      ...(urgency === undefined ? {} : { ecosystem_specific: { urgency } }),
    });
    const { advisories } = await one({
      id: 'DSA-1-1',
      affected: [
        affected('two', [
          { introduced: '0' },
          { fixed: '1.0-1' },
          { introduced: '2.0' },
          { fixed: '2.0-3' },
        ]),
        affected('none', [{ introduced: '0' }]),
        affected('old', [{ introduced: '0' }, { fixed: '<end-of-life>' }]),
        affected('never', [{ introduced: '0' }, { fixed: '0' }]),
        affected('last', [{ introduced: '0' }, { last_affected: '3.1' }]),
        affected('turned', [{ fixed: '2' }, { introduced: '0' }]),
        affected('again', [
          { introduced: '2' },
          { fixed: '3' },
          { introduced: '0' },
          { fixed: '2' },
        ]),
        affected('just', [{ last_affected: '2' }, { introduced: '2' }]),
        affected('trifle', [{ introduced: '0' }, { fixed: '1' }], 'unimportant'),
        affected('two', [{ introduced: '0' }, { fixed: '1.0-1' }]),
      ],
    });
    expect(
      advisories[0]?.affected.map(({ name, introduced, fixed, status, note, lastAffected }) =>
        [
          name,
          introduced,
          fixed,
          status,
          note,
          ...(lastAffected === undefined ? [] : [lastAffected]),
        ].join(' '),
      ),
    ).toEqual([
      'two  1.0-1 fixed ',
      'two 2.0 2.0-3 fixed ',
      'none   affected ',
      'old   affected end-of-life',
      'never   not-affected ',
      'last   affected up to 3.1 3.1',
      'turned  2 fixed ',
      'again  2 fixed ',
      'again 2 3 fixed ',
      'just 2  affected up to 2 2',
    ]);
  });

  test.each<[string, object, string, string | null]>([
    ['the word', { severity: [{ type: 'Ubuntu', score: 'low' }] }, 'low', 'low'],
    [
      'the word before the vector',
      {
        severity: [
          { type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' },
          { type: 'Ubuntu', score: 'negligible' },
        ],
      },
      ...(['low', 'negligible'] as const),
    ],
    [
      'a vector alone',
      { severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H' }] },
      ...(['high', null] as const),
    ],
    [
      'the worst of its CVEs',
      {
        affected: ['low', 'high', 'medium'].map((score) => ({
          package: { ecosystem: 'Ubuntu:22.04:LTS', name: 'a' },
          database_specific: {
            cves_map: { cves: [{ id: 'x', severity: [{ type: 'Ubuntu', score }] }] },
          },
        })),
      },
      ...(['high', 'high'] as const),
    ],
    [
      'what older records say beside each release',
      {
        affected: ['negligible', 'medium'].map((priority) => ({
          package: { ecosystem: 'Ubuntu:22.04:LTS', name: 'a' },
          ecosystem_specific: { ubuntu_priority: priority },
        })),
      },
      ...(['medium', 'medium'] as const),
    ],
    ['the summary', { summary: 'Important: a security update' }, 'high', 'Important'],
    ['nothing', {}, 'unknown', null],
  ])('how bad it is, by %s', async (_, record, severity, vendorSeverity) => {
    const { advisories } = await one({ id: 'USN-1-1', ...record });
    expect(advisories).toMatchObject([{ severity, vendorSeverity }]);
  });

  test('wrapped by an API, or in an array', async () => {
    for (const wrapped of [
      { advisories: [{ id: 'RLSA-1' }, { id: 'RLSA-2' }] },
      [{ id: 'RLSA-1' }, { id: 'RLSA-2' }],
    ])
      expect((await one(wrapped)).advisories.map(({ id }) => id)).toEqual(['RLSA-1', 'RLSA-2']);
  });

  test.each<[string, unknown, string]>([
    ['no id', { summary: 'x' }, 'id'],
    ['an id that is none', { id: 7 }, 'id'],
    ['no record', 'text', ''],
    [
      'an affected package without a name',
      { id: 'DSA-1', affected: [{ package: { ecosystem: 'Debian:12' } }] },
      'affected.0.package.name',
    ],
    [
      'events that are none',
      {
        id: 'DSA-1',
        affected: [
          {
            package: { ecosystem: 'Debian:12', name: 'a' },
            ranges: [{ type: 'ECOSYSTEM', events: 'x' }],
          },
        ],
      },
      'affected.0.ranges.0.events',
    ],
  ])('%s is named', async (_, record, field) => {
    const { problems } = await one(record);
    expect(problems).toMatchObject([{ file: 'x.json', field }]);
  });

  test('what is no JSON is named, and the next file read', async () => {
    const { advisories, problems } = await parsed(osv, [
      fileOf('a.json', '{"id": '),
      fileOf('b.json', Buffer.from([0x7b, 0xff, 0x7d])),
      fileOf('readme.txt', 'no'),
      fileOf('c.json', '{"id": "DSA-1"}'),
    ]);
    expect(problems.map(({ file }) => file)).toEqual(['a.json', 'b.json']);
    expect(advisories.map(({ id }) => id)).toEqual(['DSA-1']);
  });
});
