import { describe, expect, test } from '@jest/globals';
import type { Advisory } from '../../../../src/core/advisories/advisory.ts';
import { ubuntuNotices } from '../../../../src/producers/advisories/ubuntu-notices/source.ts';
import { fileOf, fixture, parsed } from '../feed-files.ts';

const page = fixture('ubuntu/notices.json');

const read = async (...notices: object[]): ReturnType<typeof parsed> =>
  parsed(ubuntuNotices, [fileOf('notices.json', JSON.stringify({ notices, offset: 0 }))]);

const notice = (release_packages: object, rest: object = {}): object => ({
  ...{ id: 'USN-5000-1', title: 'foo vulnerability', published: '2024-01-02T03:04:05' },
  ...{ is_hidden: false, cves_ids: ['CVE-2024-1000'], release_packages, ...rest },
});

const source = (name: string, version: string): object => ({ name, version, is_source: true });
const binary = (name: string, version: string, of: string, pocket?: string): object => ({
  ...{ name, version, is_source: false, version_link: '', pocket },
  source_link: `https://launchpad.net/ubuntu/+source/${of}`,
});

/** `22.04 esm-infra source foo 1.0`. */
const said = ({ affected }: Advisory): string[] =>
  affected.map(({ release, channel, names, name, fixed }) =>
    [release, channel, names, name, fixed].filter((part) => part !== null).join(' '),
  );

describe("Ubuntu's notices", () => {
  test('of the first years say no versions, and so no rows', async () => {
    const { advisories, problems } = await parsed(ubuntuNotices, [fileOf('n.json', page)]);
    expect(problems).toEqual([]);
    expect(advisories).toMatchObject([
      {
        ...{ feed: 'ubuntu-notices', id: 'USN-1-1', kind: 'security', cves: ['CVE-2004-0955'] },
        ...{ title: 'PNG library vulnerabilities', published: '2004-10-23T01:17:50.000Z' },
        ...{ withdrawn: false, severity: 'unknown', affected: [] },
      },
      { id: 'USN-2-1', cves: ['CVE-2004-0889'], affected: [] },
    ]);
  });

  test('say it of source packages; of binary ones only where they name no source', async () => {
    const { advisories } = await read(
      notice({
        jammy: [source('foo', '1.0-1ubuntu0.1'), binary('foo-bin', '2:1.0', 'foo', 'security')],
        noble: [binary('foo-bin', '2:1.1', 'foo'), binary('foo-doc', '', 'foo')],
      }),
    );
    expect(advisories.flatMap(said)).toEqual([
      '22.04 source foo 1.0-1ubuntu0.1',
      '24.04 binary foo-bin 2:1.1',
    ]);
  });

  test('name the service that has the fix, which stands with the binary packages', async () => {
    const { advisories } = await read(
      notice({
        focal: [
          ...[source('foo', '1.0'), binary('libfoo', '1.0', 'foo', 'esm-apps')],
          ...[source('bar', '2.0'), binary('libbar', '2.0', 'bar', 'security')],
        ],
        bionic: [source('foo', '0.9'), binary('libfoo', '0.9', 'other', 'esm-infra')],
        xenial: [source('foo', '0.8-1ubuntu1+esm2')],
      }),
    );
    expect(advisories.flatMap(said)).toEqual([
      '20.04 esm-apps source foo 1.0',
      '20.04 source bar 2.0',
      '18.04 esm-infra source foo 0.9',
      '16.04 esm-infra source foo 0.8-1ubuntu1+esm2',
      '16.04 esm-apps source foo 0.8-1ubuntu1+esm2',
    ]);
  });

  test('of livepatches are for who has livepatch; hidden ones count as taken back', async () => {
    const { advisories } = await read(
      notice({ jammy: [source('linux', '104.1')] }, { id: 'LSN-0104-1' }),
      notice({ jammy: [source('foo', '1')] }, { is_hidden: true }),
    );
    expect(advisories.flatMap(said)[0]).toBe('22.04 livepatch source linux 104.1');
    expect(advisories.map(({ withdrawn }) => withdrawn)).toEqual([false, true]);
  });

  test('come one by one as well', async () => {
    const text = JSON.stringify(notice({ jammy: [source('foo', '1')] }));
    const { advisories } = await parsed(ubuntuNotices, [fileOf('USN-5000-1.json', text)]);
    expect(advisories.map(({ id }) => id)).toEqual(['USN-5000-1']);
  });

  test('what cannot be used is named, and the rest of it kept', async () => {
    const { advisories, problems } = await read(
      notice({
        jammy: [source('foo', '1'), source('foo', 'x'), { name: 'Foo Bar', is_source: true }],
        hobbit: [source('foo', '1')],
      }),
      { id: 'USN', title: 7 },
      notice({ jammy: 'none' }, { id: 'USN-5001-1' }),
    );
    expect(advisories.flatMap(said)).toEqual(['22.04 source foo 1']);
    expect(problems).toMatchObject([
      { record: 'USN-5000-1', field: 'release_packages.jammy.1.version' },
      { record: 'USN-5000-1', field: 'release_packages.jammy.2.name' },
      { record: 'USN-5000-1', field: 'release_packages.hobbit' },
      { record: 'USN', field: 'id' },
      { record: 'USN', field: 'title' },
      { record: 'USN-5001-1', field: 'release_packages.jammy' },
    ]);
  });
});
