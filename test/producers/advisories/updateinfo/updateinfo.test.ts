import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { FeedFile } from '../../../../src/producers/advisories/feed-file.ts';
import { updateinfoSource } from '../../../../src/producers/advisories/updateinfo/source.ts';
import { storedFile, fixture, fixtureTree, storedBytes } from '../stored-files.ts';
import { parsed } from '../feed-files.ts';

const source = updateinfoSource();

/** The samples' indexes hold invented checksums: the same tree with the true ones. */
const withChecksums = async (files: FeedFile[]): Promise<FeedFile[]> => {
  const stored = new Map<string, Buffer>();
  for (const file of files) stored.set(file.name, await storedBytes(file));
  return [...stored].map(([name, bytes]) => {
    if (!name.endsWith('repomd.xml')) return storedFile(name, bytes);
    const text = bytes
      .toString()
      .replace(
        /(<data type="updateinfo">\s*<checksum type="sha256">)\w+(<\/checksum>\s*<location href=")([^"]+)/,
        (whole, before: string, between: string, href: string) => {
          const named = stored.get(join(name, '../..', href));
          const checksum = createHash('sha256')
            .update(named ?? '')
            .digest('hex');
          return named === undefined ? whole : `${before}${checksum}${between}${href}`;
        },
      );
    return storedFile(name, text);
  });
};

describe('a tree of repositories', () => {
  test('every repository with advisories is read, those without say nothing', async () => {
    const files = await withChecksums(await fixtureTree('almalinux/updateinfo'));
    const { advisories, problems } = await parsed(source, [...files]);
    expect(problems).toEqual([]);
    expect(advisories.map(({ id, kind }) => [id, kind])).toEqual([
      ['ALSA-2023:7549', 'security'],
      ['ALSA-2022:4940', 'security'],
      ['ALBA-2023:0123', 'bugfix'],
    ]);
    expect(advisories[0]).toEqual({
      feed: 'updateinfo',
      id: 'ALSA-2023:7549',
      kind: 'security',
      title: 'Moderate: nodejs security update',
      cves: ['CVE-2023-44487'],
      published: '2023-11-28T00:00:00.000Z',
      modified: '2023-11-28T00:00:00.000Z',
      withdrawn: false,
      severity: 'medium',
      vendorSeverity: 'Moderate',
      affected: [
        {
          distro: 'almalinux',
          release: '9',
          channel: null,
          names: 'binary',
          name: 'nodejs',
          arch: 'x86_64',
          module: null,
          status: 'fixed',
          fixed: '1:18.18.2-1.el9',
          note: null,
          scheme: 'rpm',
          exact: true,
        },
      ],
    });
    expect(advisories[2]).toMatchObject({ severity: 'unknown', vendorSeverity: 'None' });
  });

  test('a vault of an older minor release is of the same release', async () => {
    const files = await withChecksums(await fixtureTree('rocky/updateinfo'));
    const { advisories, problems } = await parsed(source, [...files]);
    expect(problems).toEqual([]);
    expect(
      advisories.map(({ id, affected }) => [id, affected[0]?.release, affected[0]?.fixed]),
    ).toEqual([
      ['RLSA-2023:3820', '9', '3:10.5.16-2.module+el9.1.0+13358+56c3b6a3'],
      ['RLSA-2022:7513', '9', '5.2.5-8.el9_0'],
      ['RLBA-2023:0456', '9', '7.76.1-23.el9'],
      ['RLSA-2022:1234', '8', '1:1.1.1k-6.el8_5'],
    ]);
  });

  test('a file that has another checksum than its index says is not read', async () => {
    const files = await fixtureTree('almalinux/updateinfo');
    const { advisories, problems } = await parsed(source, [...files]);
    expect(advisories).toEqual([]);
    expect(problems).toHaveLength(2);
    expect(problems[0]?.file).toMatch(/AppStream.*-updateinfo\.xml\.gz$/);
    expect(problems[0]?.reason).toMatch(/^its sha256 is \w+, and repomd\.xml says cccc125d/);
  });

  test('a file that the index names and that is not there is told', async () => {
    const files = await withChecksums(await fixtureTree('almalinux/updateinfo'));
    const { advisories, problems } = await parsed(source, [
      ...files.filter(({ name }) => !/AppStream.*updateinfo\.xml/.test(name)),
    ]);
    expect(advisories.map(({ id }) => id)).toEqual(['ALSA-2022:4940', 'ALBA-2023:0123']);
    expect(problems).toEqual([
      expect.objectContaining({
        file: 'almalinux/9/AppStream/x86_64/os/repodata/repomd.xml',
        field: 'updateinfo.href',
      }),
    ]);
  });

  test('damage behind the last record is noticed', async () => {
    const files = await withChecksums(await fixtureTree('almalinux/updateinfo-malformed'));
    const { problems } = await parsed(source, [...files]);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.reason).toMatch(/incorrect data check/);
  });

  test('yesterday’s file beside the one that the index names is not read', async () => {
    const files = await withChecksums(await fixtureTree('almalinux/updateinfo'));
    const old = storedFile(
      'almalinux/9/BaseOS/x86_64/os/repodata/old-updateinfo.xml',
      '<updates><update><id>ALSA-2000:1</id></update></updates>',
    );
    const { advisories } = await parsed(source, [...files, old]);
    expect(advisories).toHaveLength(3);
  });
});

describe('one file', () => {
  const first = async (path: string) => {
    const { advisories, problems } = await parsed(source, [await fixture(path)]);
    expect(problems).toEqual([]);
    expect(advisories).toHaveLength(1);
    return advisories[0];
  };

  test.each([
    ['amazon/updateinfo_1.xml.gz', 'ALAS-2011-1', '2018.03', null, 'medium'],
    ['amazon/updateinfo_2.xml.gz', 'ALAS2-2018-939', '2', null, 'critical'],
    ['amazon/updateinfo_2023.xml.gz', 'ALAS2023-2023-001', '2023', null, 'high'],
    [
      'amazon/updateinfo_2023_kernel-livepatch.xml.gz',
      'ALAS2023LIVEPATCH-2023-001',
      '2023',
      'kernel-livepatch',
      'high',
    ],
    ['amazon/updateinfo_2023_nvidia.xml.gz', 'ALAS2023NVIDIA-2025-001', '2023', 'nvidia', 'high'],
  ])('%s', async (path, id, release, channel, severity) => {
    const advisory = await first(path);
    expect(advisory).toMatchObject({ id, severity, kind: 'security' });
    for (const row of advisory?.affected ?? [])
      expect(row).toMatchObject({ distro: 'amzn', release, channel });
  });

  test('dates without seconds, and packages of one or of every architecture', async () => {
    expect(await first('amazon/updateinfo_1.xml.gz')).toMatchObject({
      published: '2011-09-27T22:46:00.000Z',
      affected: [{ name: 'httpd-devel', arch: 'i686', fixed: '2.2.21-1.18.amzn1' }],
    });
    const rows = (await first('amazon/updateinfo_2023.xml.gz'))?.affected;
    expect(rows?.find(({ name }) => name === 'rsyslog-doc')?.arch).toBeNull();
    expect(rows?.find(({ name }) => name === 'rsyslog-mmaudit')?.arch).toBe('x86_64');
  });

  test('Fedora: sources are no rows, CVEs stand in titles', async () => {
    const advisory = await first('fedora/updates-43-updateinfo.xml');
    expect(advisory?.affected.map(({ name, release }) => [name, release])).toEqual([
      ['python3-boto3', '43'],
      ['python3-botocore', '43'],
      ['python3-s3transfer', '43'],
    ]);
    const modular = await first('fedora/modular-38-updateinfo.xml');
    expect(modular?.cves).toEqual(['CVE-2024-24989', 'CVE-2024-24990']);
    expect(modular?.affected).toEqual([]);
  });

  test('EPEL is a channel of each distribution that installs it', async () => {
    const rows = (await first('fedora/epel-6-updateinfo.xml'))?.affected ?? [];
    expect(rows.length).toBeGreaterThan(0);
    expect(new Set(rows.map(({ distro }) => distro))).toEqual(
      new Set(['almalinux', 'rocky', 'rhel', 'ol', 'centos']),
    );
    for (const row of rows) expect(row).toMatchObject({ release: '6', channel: 'epel' });
  });

  test.each([
    'amazon/malformed/updateinfo_invalid_gzip.xml.gz',
    'amazon/malformed/updateinfo_invalid_xml.xml.gz',
  ])('%s is a problem', async (path) => {
    const { advisories, problems } = await parsed(source, [await fixture(path)]);
    expect(advisories).toEqual([]);
    expect(problems).toEqual([expect.objectContaining({ file: path })]);
  });
});

/** An update of one package, with what a test wants to be different. */
const update = (inner: {
  id?: string;
  labels?: string;
  collection?: string;
  pkg?: string;
  more?: string;
}): string => `
  <updates><update type="security" status="final"><id>${inner.id ?? 'RLSA-2024:1'}</id><title>t</title>${inner.more ?? ''}
  <pkglist><collection short="${inner.labels ?? 'rocky-linux-9-x86-64-baseos-rpms'}">${inner.collection ?? ''}
  <package name="a" version="1" release="2.el9" epoch="0" arch="x86_64" ${inner.pkg ?? ''}/>
  <package name="b" version="1" release="2.el9" arch="x86_64"/></collection></pkglist></update></updates>`;
const parsedText = (text: string, from = source) =>
  parsed(from, [storedFile('updateinfo.xml', text)]);

describe('what an update says', () => {
  test('the module of its collection', async () => {
    const { advisories } = await parsedText(
      update({
        collection: '<module name="nodejs" stream="18" version="1" context="c" arch="x86_64"/>',
      }),
    );
    expect(advisories[0]?.affected.map(({ module }) => module)).toEqual(['nodejs:18', 'nodejs:18']);
  });

  test('that a reboot is needed', async () => {
    const says = async (more: string) =>
      (await parsedText(update({ more }))).advisories[0]?.rebootSuggested;
    expect(await says('<reboot_suggested>True</reboot_suggested>')).toBe(true);
    expect(await says('<reboot_suggested/>')).toBe(true);
    expect(await says('<reboot_suggested>False</reboot_suggested>')).toBeUndefined();
    expect(await says('')).toBeUndefined();
  });

  test('a product stream of Red Hat', async () => {
    const { advisories } = await parsedText(
      update({ id: 'RHSA-2024:1', labels: 'rhel-9-for-x86_64-baseos-eus-rpms__9_DOT_2' }),
    );
    expect(advisories[0]?.affected[0]).toMatchObject({
      distro: 'rhel',
      release: '9.2',
      channel: 'eus',
    });
  });

  test.each([
    ['rhel-9-for-x86_64-baseos-rpms', '9', null],
    ['rhel-9-for-x86_64-baseos-eus-rpms', '9', 'eus'],
    ['rhel-7-server-els-rpms', '7', 'els'],
    ['rhel-7-server-extras-rpms', '7', 'extras'],
    ['rhel-server-rhscl-7-rpms', '7', 'rhel-software-collections'],
    ['codeready-builder-for-rhel-9-x86_64-rpms', '9', null],
    ['rhocp-4.14-for-rhel-9-x86_64-rpms__x86_64', '9', 'openshift-4.14'],
  ])('what has a repository of its own at Red Hat: %s', async (labels, release, channel) => {
    const { advisories } = await parsedText(update({ id: 'RHSA-2024:1', labels }));
    expect(advisories[0]?.affected[0]).toMatchObject({ distro: 'rhel', release, channel });
  });

  test('livepatches of Amazon Linux 2023, by the id alone', async () => {
    const { advisories } = await parsedText(
      update({ id: 'ALAS2023LIVEPATCH-2023-001', labels: 'amazon-linux-2023' }),
    );
    expect(advisories[0]?.affected[0]).toMatchObject({
      ...{ release: '2023', channel: 'kernel-livepatch' },
    });
  });

  test('an extra of Amazon Linux 2', async () => {
    const { advisories } = await parsedText(
      update({ id: 'ALAS2NGINX1-2023-001', labels: 'amazon-linux-2' }),
    );
    expect(advisories[0]?.affected[0]).toMatchObject({ release: '2', channel: 'extras-nginx1' });
  });

  test('nothing of its distribution: the package tells, else the one that the feed is set up for', async () => {
    const el = await parsedText(update({ labels: 'x' }));
    expect(el.advisories[0]?.affected[0]).toMatchObject({ distro: 'rocky', release: '9' });
    const own = update({ id: 'OWN-1', labels: 'x' });
    expect(await parsedText(own)).toEqual({
      advisories: [],
      problems: [expect.objectContaining({ record: 'OWN-1', field: 'pkglist.x' })],
    });
    const place = { distro: 'debian', release: '12', channel: null };
    const named = await parsedText(own, updateinfoSource(place));
    expect(named.advisories[0]?.affected[0]).toMatchObject(place);
  });

  test('a bad package beside a good one: the good one counts, the bad one is named', async () => {
    const { advisories, problems } = await parsedText(
      update({}).replace('version="1"', 'version="1 2"'),
    );
    expect(advisories[0]?.affected.map(({ name }) => name)).toEqual(['b']);
    expect(problems).toEqual([
      {
        file: 'updateinfo.xml',
        record: 'RLSA-2024:1',
        field: 'pkglist.rocky-linux-9-x86-64-baseos-rpms.package.0.version',
        reason: 'no version',
      },
    ]);
  });
});

describe('hostile documents', () => {
  test('entities are not expanded', async () => {
    const { advisories, problems } = await parsedText(
      `<!DOCTYPE updates [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>${update({ id: 'RLSA-&b;' })}`,
    );
    expect(advisories).toEqual([]);
    expect(problems[0]?.reason).toMatch(/document type/);
  });

  test('deep nesting ends the document, not the parser', async () => {
    const { problems } = await parsedText(`<updates><update>${'<a>'.repeat(100_000)}`);
    expect(problems).toEqual([expect.objectContaining({ reason: expect.stringMatching(/deep/) })]);
  });

  test('a record beyond all bounds is left out, those around it are kept', async () => {
    const [before, after] = update({}).split('<pkglist>') as [string, string];
    const huge = '<reference id="CVE-2024-1234"/>'.repeat(260_000);
    const one = update({ id: 'RLSA-2024:2' }).replace(/<\/?updates>/g, '');
    const { advisories, problems } = await parsedText(
      `${before}<references>${huge}</references><pkglist>${after}`.replace(
        '</updates>',
        `${one}</updates>`,
      ),
    );
    expect(advisories.map(({ id }) => id)).toEqual(['RLSA-2024:2']);
    expect(problems).toEqual([
      expect.objectContaining({ reason: expect.stringMatching(/250000 elements/) }),
    ]);
  });
});

test('files of a directory that are called otherwise', async () => {
  const text = (id: string): string =>
    `<updates><update type="security"><id>${id}</id><pkglist><collection short="al9"><package name="a" version="1" release="1.el9" arch="x86_64"/></collection></pkglist></update></updates>`;
  const { advisories, problems } = await parsed(source, [
    storedFile('bar.xml', text('ALSA-2026:1')),
    storedFile('foo.xml', text('ALSA-2026:2')),
    storedFile('README', 'none of them'),
  ]);
  expect(problems).toEqual([]);
  expect(advisories.map(({ id }) => id)).toEqual(['ALSA-2026:1', 'ALSA-2026:2']);
});
