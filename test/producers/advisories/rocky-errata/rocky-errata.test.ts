import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { rockyErrata } from '../../../../src/producers/advisories/rocky-errata/source.ts';
import { storedFile, fixture, fixtures } from '../stored-files.ts';
import { parsed } from '../feed-files.ts';

const PAGE = 'rocky/errata-api/page1.json';

describe('Rocky errata', () => {
  test('a page of the API', async () => {
    const { advisories, problems } = await parsed(rockyErrata, [await fixture(PAGE)]);
    expect(problems).toEqual([]);
    expect(advisories).toEqual([
      expect.objectContaining({
        feed: 'rocky-errata',
        id: 'RLSA-2025:21816',
        kind: 'security',
        severity: 'medium',
        cves: ['CVE-2025-58183'],
        published: '2025-11-27T09:11:22.820Z',
      }),
    ]);
    const rows = advisories[0]?.affected ?? [];
    expect(rows.filter(({ arch }) => arch === 'src')).toEqual([]);
    expect(rows[0]).toEqual({
      distro: 'rocky',
      release: '10',
      channel: null,
      names: 'binary',
      name: 'delve',
      arch: 'aarch64',
      module: null,
      status: 'fixed',
      fixed: '1.25.2-1.el10_1',
      note: null,
      scheme: 'rpm',
    });
  });

  test('modules; what is for every architecture is one row', async () => {
    const { advisories } = await parsed(rockyErrata, [
      await fixture('rocky/errata-api/RLSA-2023_3319.json'),
    ]);
    const rows = advisories[0]?.affected ?? [];
    expect(new Set(rows.map(({ module }) => module))).toEqual(new Set(['go-toolset:rhel8']));
    expect(rows.filter(({ name }) => name === 'golang-docs')).toEqual([
      expect.objectContaining({ arch: null, release: '8' }),
    ]);
  });

  test('a bug fix, and a release of a product that is a minor one', async () => {
    const text = await readFile(join(fixtures, 'rocky/errata-api/RLBA-2025_2973.json'), 'utf8');
    const { advisories } = await parsed(rockyErrata, [
      storedFile('a.json', text.replaceAll('Rocky Linux 9 ', 'Rocky Linux 9.6 ')),
    ]);
    expect(advisories[0]).toMatchObject({ kind: 'bugfix', id: 'RLBA-2025:2973' });
    expect(new Set(advisories[0]?.affected.map(({ release }) => release))).toEqual(new Set(['9']));
  });

  test('a module of a package that is in none is not believed; what is of no release is passed over', async () => {
    const text = (await readFile(join(fixtures, PAGE), 'utf8'))
      .replaceAll(
        '"module_name":null,"module_stream":null',
        '"module_name":"a","module_stream":"b"',
      )
      .replace(
        '"product_name":"Rocky Linux 10 aarch64"',
        '"product_name":"Rocky Linux SIG Cloud 10"',
      )
      .replace('"product_name":"Rocky Linux 10 x86_64"', '"product_name":7');
    expect(text).toContain('"module_name":"a"');
    const { advisories, problems } = await parsed(rockyErrata, [storedFile('p.json', text)]);
    expect(new Set(advisories[0]?.affected.map(({ module }) => module))).toEqual(new Set([null]));
    expect(problems).toEqual([
      {
        ...{ file: 'p.json', record: 'RLSA-2025:21816' },
        field: expect.stringMatching(/^packages\.\d+\.product_name$/),
        reason: expect.stringContaining('expected string'),
      },
    ]);
  });
});
