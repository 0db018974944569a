import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { almaErrata } from '../../../../src/producers/advisories/alma-errata/source.ts';
import { storedFile, fixture, fixtures } from '../stored-files.ts';
import { parsed } from '../feed-files.ts';

const PATH = 'almalinux/errata/8/errata.full.json';

describe('AlmaLinux errata', () => {
  test('modules, architectures and CVEs', async () => {
    const { advisories, problems } = await parsed(almaErrata, [await fixture(PATH)]);
    expect(problems).toEqual([]);
    expect(advisories.map(({ id, kind, severity }) => [id, kind, severity])).toEqual([
      ['ALBA-2021:3049', 'bugfix', 'unknown'],
      ['ALSA-2019:3708', 'security', 'medium'],
    ]);
    const [pcsc, mariadb] = advisories;
    expect(pcsc).toMatchObject({
      published: '2021-08-10T09:54:43.000Z',
      modified: '2021-08-10T09:54:36.000Z',
      cves: [],
      affected: [
        { name: 'pcsc-lite-ccid', arch: 'x86_64', fixed: '1.4.29-5.1.el8_4', module: null },
        { name: 'pcsc-lite-devel', arch: 'i686', fixed: '1.8.23-4.1.el8_4' },
        { name: 'pcsc-lite-devel', arch: 'x86_64' },
        { name: 'pcsc-lite-ccid', arch: 'aarch64' },
        { name: 'pcsc-lite-ccid', arch: 'ppc64le' },
      ],
    });
    expect(mariadb?.cves).toContain('CVE-2019-2510');
    expect(mariadb?.cves).toHaveLength(12);
    expect(
      mariadb?.affected.find(({ name, arch }) => name === 'Judy' && arch === 'x86_64'),
    ).toEqual({
      distro: 'almalinux',
      release: '8',
      channel: null,
      names: 'binary',
      name: 'Judy',
      arch: 'x86_64',
      module: 'mariadb:10.3',
      status: 'fixed',
      fixed: '1.0.5-18.module_el8.5.0+2632+14ced695',
      note: null,
      scheme: 'rpm',
    });
  });

  test('a release that no reference names is that of the file', async () => {
    const text = (await readFile(join(fixtures, PATH), 'utf8')).replaceAll(
      'errata.almalinux.org',
      'x',
    );
    const { advisories } = await parsed(almaErrata, [storedFile('9/errata.full.json', text)]);
    expect(advisories[0]?.affected[0]?.release).toBe('9');
    const elsewhere = await parsed(almaErrata, [storedFile('errata.full.json', text)]);
    expect(elsewhere.advisories[0]?.affected[0]?.release).toBe('8');
  });

  test('a reboot that one package asks for; a bad package beside it', async () => {
    const text = (await readFile(join(fixtures, PATH), 'utf8'))
      .replace('"reboot_suggested": 0', '"reboot_suggested": 1')
      .replace('"name": "pcsc-lite-devel"', '"name": "../pcsc"');
    const { advisories, problems } = await parsed(almaErrata, [storedFile('e.json', text)]);
    expect(advisories.map(({ rebootSuggested }) => rebootSuggested)).toEqual([true, undefined]);
    expect(advisories[0]?.affected).toHaveLength(4);
    expect(problems).toEqual([
      {
        file: 'e.json',
        record: 'ALBA-2021:3049',
        field: 'packages.1.name',
        reason: 'no package name',
      },
    ]);
  });
});
