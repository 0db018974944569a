import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Advisory } from '../../../src/core/advisories/advisory.ts';
import { createFleet } from '../../../src/core/advisories/fleet.ts';
import { createHostFindings } from '../../../src/core/advisories/host-findings.ts';
import { missingIn } from '../../../src/core/advisories/image-needs.ts';
import { indexInventory } from '../../../src/core/advisories/index-inventory.ts';
import type { InventoryPackage } from '../../../src/core/advisories/inventory.ts';
import type { Finding } from '../../../src/core/advisories/match.ts';
import { debianLists } from '../../../src/producers/advisories/debian-lists/source.ts';
import { debianTracker } from '../../../src/producers/advisories/debian-tracker/source.ts';
import { fileOf, fixture, parsed } from '../../producers/advisories/feed-files.ts';
import { deb } from './rows.ts';

/** Every DSA as it was published, by its id. */
const dsas = new Map<string, Advisory>();
beforeAll(async () => {
  const list = fileOf('DSA-list', fixture('debian/DSA-list.txt.gz'));
  for (const one of (await parsed(debianLists, [list])).advisories) dsas.set(one.id, one);
});

/** What the tracker says of a CVE in a source and a release, in its own words. */
type Word = [source: string, cve: string, codename: string, says: object];

const trackerOf = async (words: readonly Word[]): Promise<Advisory[]> => {
  const sources: Record<string, Record<string, { releases: Record<string, object> }>> = {};
  for (const [source, cve, codename, says] of words) {
    const issue = ((sources[source] ??= {})[cve] ??= { releases: {} });
    issue.releases[codename] = { repositories: {}, urgency: 'not yet assigned', ...says };
  }
  const { advisories, problems } = await parsed(debianTracker, [
    fileOf('json', JSON.stringify(sources)),
  ]);
  expect(problems).toEqual([]);
  return advisories;
};

const never = { status: 'resolved', fixed_version: '0', urgency: 'unimportant' };
const unimportant = { status: 'open', urgency: 'unimportant' };
const fixed = (version: string): object => ({ status: 'resolved', fixed_version: version });
/** What suites carry, as the tracker has it in its own sample: the main one, and that of security updates. */
const carrying = (codename: string, main: string, security?: string): object => ({
  repositories: {
    [codename]: main,
    ...(security === undefined ? {} : { [`${codename}-security`]: security }),
  },
});

interface Host {
  platform: string;
  packages: InventoryPackage[];
}
const offline = (advisories: readonly Advisory[], { platform, packages }: Host): Finding[] => {
  const found = createHostFindings(indexInventory({ platform, packages }));
  for (const one of advisories) found.take(one);
  return found.standing();
};
const inFleet = (advisories: readonly Advisory[], { platform, packages }: Host): Finding[] => {
  const fleet = createFleet(new Set(['security'] as const));
  fleet.add('image', { inventory: { platform, packages }, offers: [] });
  fleet.put('h1', 'image');
  for (const one of advisories) fleet.match(one);
  return [...fleet.images()].flatMap(missingIn);
};

const lines = (findings: readonly Finding[]): string[] =>
  findings.map(({ advisory, fixed: to, cves }) => [advisory, to ?? 'no fix', ...cves].join(' '));

const samba = deb('samba', '2:4.9.5+dfsg-5+deb10u1');
const buster = { platform: 'debian-10', packages: [samba] };
const sambaIs = (says: object): Word => ['samba', 'CVE-2020-25717', 'buster', says];
const sambaStands = ['DSA-5015-1 2:4.9.5+dfsg-5+deb10u2 CVE-2020-25717'];

const webkit = deb('libwebkit2gtk-4.0-37', '2.32.0-1', { source: 'webkit2gtk' });
const bullseye = { platform: 'debian-11', packages: [webkit] };
const [first, second] = ['CVE-2021-30887', 'CVE-2021-30890'];
const webkitFix = 'DSA-5030-1 2.34.3-1~deb11u1';

/** A real advisory, what the tracker says, and what stands of it. */
const cases: [what: string, id: string, on: Host, words: Word[], stands: string[]][] = [
  ['nothing is said', 'DSA-5015-1', buster, [], sambaStands],
  ['the release never was affected', 'DSA-5015-1', buster, [sambaIs(never)], []],
  ['it is no issue of security', 'DSA-5015-1', buster, [sambaIs(unimportant)], []],
  [
    'the archive had the fix when that was said',
    'DSA-5015-1',
    buster,
    [
      sambaIs({
        ...never,
        ...carrying('buster', '2:4.9.5+dfsg-5+deb10u1', '2:4.9.5+dfsg-5+deb10u2'),
      }),
    ],
    [],
  ],
  [
    'that was said before the security archive had the fix',
    'DSA-5015-1',
    buster,
    [
      sambaIs({
        ...never,
        ...carrying('buster', '2:4.9.5+dfsg-5+deb10u1', '2:4.9.5+dfsg-5+deb10u1'),
      }),
    ],
    sambaStands,
  ],
  [
    'the main suite has a fix later, and says nothing of when that was',
    'DSA-5015-1',
    buster,
    [sambaIs({ ...never, ...carrying('buster', '2:4.9.5+dfsg-5+deb10u1') })],
    [],
  ],
  [
    'nobody has looked at it',
    'DSA-5015-1',
    buster,
    [sambaIs({ status: 'undetermined' })],
    sambaStands,
  ],
  ['it is open there', 'DSA-5015-1', buster, [sambaIs({ status: 'open' })], sambaStands],
  [
    'support of the release has ended',
    'DSA-5015-1',
    buster,
    [sambaIs({ status: 'open', urgency: 'end-of-life' })],
    sambaStands,
  ],
  [
    'another release never was affected',
    'DSA-5015-1',
    buster,
    [['samba', 'CVE-2020-25717', 'bullseye', never]],
    sambaStands,
  ],
  [
    'another source never was affected',
    'DSA-5015-1',
    buster,
    [['krb5', 'CVE-2020-25717', 'buster', never]],
    sambaStands,
  ],
  [
    'another CVE never affected it',
    'DSA-5015-1',
    buster,
    [['samba', 'CVE-2020-25718', 'buster', never]],
    sambaStands,
  ],
  [
    'one of two CVEs never affected the release',
    'DSA-5030-1',
    bullseye,
    [
      ['webkit2gtk', first, 'bullseye', never],
      ['webkit2gtk', second, 'bullseye', fixed('2.34.3-1~deb11u1')],
    ],
    [`${webkitFix} ${second}`],
  ],
  [
    'of the other one of two CVEs nothing is known',
    'DSA-5030-1',
    bullseye,
    [['webkit2gtk', first, 'bullseye', unimportant]],
    [`${webkitFix} ${second}`],
  ],
  [
    'neither of two CVEs counts',
    'DSA-5030-1',
    bullseye,
    [
      ['webkit2gtk', first, 'bullseye', never],
      ['webkit2gtk', second, 'bullseye', unimportant],
    ],
    [],
  ],
  [
    'one never did, and the other came with an earlier fix',
    'DSA-5030-1',
    { platform: 'debian-11', packages: [{ ...webkit, version: '2.34.1-1~deb11u1' }] },
    [
      ['webkit2gtk', first, 'bullseye', never],
      ['webkit2gtk', second, 'bullseye', fixed('2.34.1-1~deb11u1')],
    ],
    [`${webkitFix} ${second}`],
  ],
  [
    'a fix of no CVE, by the tracker no affair of any',
    'DSA-4323-1',
    { platform: 'debian-9', packages: [deb('drupal7', '7.52-2+deb9u4')] },
    [['drupal7', 'CVE-2018-7602', 'stretch', never]],
    ['DSA-4323-1 7.52-2+deb9u5'],
  ],
];

describe("Debian's lists and its tracker", () => {
  test.each(cases)('%s (%s)', async (_, id, host, words, stands) => {
    const dsa = dsas.get(id);
    if (dsa === undefined) throw new Error(`there is no ${id}`);
    const tracker = await trackerOf(words);
    const ofList = (findings: readonly Finding[]): string[] =>
      lines(findings.filter(({ feed }) => feed === 'debian-lists'));
    expect(ofList(offline([dsa, ...tracker], host))).toEqual(stands);
    expect(ofList(offline([...tracker, dsa], host))).toEqual(stands);
    expect(ofList(inFleet([dsa, ...tracker], host))).toEqual(stands);
  });

  test('what the tracker denies is denied to records of OSV, too, and of no other distribution', async () => {
    const dsa = dsas.get('DSA-5015-1');
    if (dsa === undefined) throw new Error('there is no DSA-5015-1');
    const tracker = await trackerOf([sambaIs(never)]);
    expect(offline([{ ...dsa, feed: 'osv' }, ...tracker], buster)).toEqual([]);
    const affected = dsa.affected.map((row) => ({ ...row, distro: 'ubuntu', release: '20.04' }));
    const usn = { ...dsa, id: 'USN-1', affected };
    expect(offline([usn, ...tracker], { ...buster, platform: 'ubuntu-20.04' })).toHaveLength(1);
  });

  test('a kernel has the name of its source beside that of what signs it', async () => {
    const dsa = dsas.get('DSA-4941-1');
    if (dsa === undefined) throw new Error('there is no DSA-4941-1');
    const kernel = deb('linux-image-4.19.0-16-amd64', '4.19.181-1', {
      ...{ source: 'linux-signed-amd64', sourceVersion: '4.19.181+1' },
    });
    const host = { platform: 'debian-10', packages: [kernel] };
    const all = await trackerOf(dsa.cves.map((cve): Word => ['linux', cve, 'buster', never]));
    expect(lines(offline([dsa], host))).toHaveLength(1);
    expect(offline([dsa, ...all], host)).toEqual([]);
    expect(lines(offline([dsa, ...all.slice(1)], host))).toEqual([
      `DSA-4941-1 4.19.194-3 ${dsa.cves[0]}`,
    ]);
  });
});

describe('a fleet', () => {
  test('follows the tracker when it says otherwise', async () => {
    const fleet = createFleet(new Set(['security'] as const));
    fleet.add('image', { inventory: buster, offers: [] });
    fleet.put('h1', 'image');
    const missing = (): string[] => lines([...fleet.images()].flatMap(missingIn));
    const said = async (says: object): Promise<number> => {
      const [one] = await trackerOf([sambaIs(says)]);
      return one === undefined ? 0 : fleet.match(one).size;
    };
    const dsa = dsas.get('DSA-5015-1');
    if (dsa === undefined) throw new Error('there is no DSA-5015-1');
    fleet.match(dsa);
    expect(await said(never)).toBe(1);
    expect(missing()).toEqual([]);
    expect([...fleet.findings(dsa).values()].flat()).toEqual([]);
    expect(await said({ status: 'undetermined' })).toBe(1);
    expect(missing()).toEqual(sambaStands);
    expect(await said(unimportant)).toBe(1);
    expect(missing()).toEqual([]);
    // The tracker has it no more.
    const [gone] = await trackerOf([sambaIs(never)]);
    if (gone !== undefined) expect(fleet.match({ ...gone, withdrawn: true }).size).toBe(1);
    expect(missing()).toEqual(sambaStands);
  });

  test('keeps nothing of what nobody says', async () => {
    const fleet = createFleet(new Set(['security'] as const));
    const [unit] = fleet.add('image', { inventory: buster, offers: [] });
    fleet.put('h1', 'image');
    for (const one of await trackerOf([sambaIs(never)])) expect(fleet.match(one).size).toBe(0);
    expect(unit?.denied).toBeUndefined();
  });
});
