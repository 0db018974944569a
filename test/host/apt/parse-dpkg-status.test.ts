import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { packageChanges } from '../../../src/core/package-changes.ts';
import { settled, unsettledReason } from '../../../src/host/apt/at-rest.ts';
import { parseDpkgStatus, presentPackages } from '../../../src/host/apt/parse-dpkg-status.ts';
import type { DpkgPackage } from '../../../src/host/apt/parse-dpkg-status.ts';

const fixture = (name: string): Buffer =>
  readFileSync(new URL(`../../fixtures/apt/${name}`, import.meta.url));
const status = (when: string): DpkgPackage[] =>
  parseDpkgStatus(gunzipSync(fixture(`status.${when}.gz`)).toString(), `status.${when}`);

describe('a recorded Debian 12 host', () => {
  test.each(['before', 'after'])('%s its upgrade: as dpkg-query lists it', (when) => {
    const listed = presentPackages(status(when)).map((one) =>
      [one.name, one.version, one.arch, one.source, one.sourceVersion].join('\t'),
    );
    const expected = fixture(`dpkg-query-W.${when}.tsv`)
      .toString()
      .split('\n')
      .filter((line) => /\tii $/.test(line))
      .map((line) =>
        line
          .replace(/^([^\t:]+):\w+/, '$1')
          .split('\t')
          .slice(0, 5)
          .join('\t'),
      );
    expect(expected.length).toBeGreaterThan(180);
    expect(listed.sort()).toEqual(expected.sort());
  });

  test('what its upgrade changed', () => {
    const changes = packageChanges(
      presentPackages(status('before')),
      presentPackages(status('after')),
    );
    expect(changes.filter(({ source }) => source === 'openssl')).toEqual([
      {
        ...{ name: 'libssl3', arch: 'amd64', source: 'openssl' },
        ...{ from: '3.0.20-1~deb12u2', to: '3.0.22-1~deb12u2' },
      },
      {
        ...{ name: 'openssl', arch: 'amd64', source: 'openssl' },
        ...{ from: '3.0.20-1~deb12u2', to: '3.0.22-1~deb12u2' },
      },
    ]);
    expect(changes.find(({ name }) => name === 'linux-image-6.1.0-56-amd64')?.from).toBeNull();
    expect(changes.find(({ name }) => name === 'apt-listchanges')?.to).toBeNull();
  });

  test('both databases are at rest', () => {
    for (const when of ['before', 'after'])
      expect(unsettledReason({ packages: status(when), journalEntries: 0 })).toBeNull();
  });
});

const stanza = (words: string, more = ''): string =>
  `Package: demo\nStatus: ${words}\nArchitecture: amd64\nVersion: 1:2-1\n${more}\n`;
const parseOne = (text: string): DpkgPackage => {
  const [one] = parseDpkgStatus(text, 'status');
  if (one === undefined) throw new Error('no package');
  return one;
};

describe('source package', () => {
  test.each([
    ['none named', '', 'demo', '1:2-1'],
    ['named', 'Source: origin', 'origin', '1:2-1'],
    ['named with its version', 'Source: origin (3-4)', 'origin', '3-4'],
    ['in a description, which is none', 'Description: x\n Source: fake\n .', 'demo', '1:2-1'],
  ])('%s', (_, line, source, sourceVersion) => {
    expect(parseOne(stanza('install ok installed', `${line}\n`))).toMatchObject({
      source,
      sourceVersion,
    });
  });
});

describe('at rest', () => {
  test.each([
    ['install ok installed', true],
    ['hold ok installed', true],
    ['deinstall ok config-files', true],
    ['purge ok not-installed', true],
    ['unknown ok not-installed', true],
    ['hold ok not-installed', true],
    ['install reinstreq installed', false],
    ['install ok half-installed', false],
    ['install reinstreq half-installed', false],
    ['install ok unpacked', false],
    ['install ok half-configured', false],
    ['install ok triggers-awaited', false],
    ['install ok triggers-pending', false],
    ['deinstall ok installed', false],
    ['purge ok installed', false],
    ['install ok config-files', false],
    ['install ok not-installed', false],
  ])('%s: %s', (words, expected) => {
    expect(settled(parseOne(stanza(words)))).toBe(expected);
  });

  test.each([
    ['install ok half-configured', 'demo:amd64 is half-configured, wanted: install'],
    ['install reinstreq installed', 'demo:amd64 is installed and needs to be installed again'],
    ['deinstall ok installed', 'demo:amd64 is installed, wanted: deinstall'],
  ])('%s says: %s', (words, reason) => {
    const packages = parseDpkgStatus(stanza(words), 'status');
    expect(unsettledReason({ packages, journalEntries: 0 })).toBe(reason);
  });

  test('a journal that is not merged', () => {
    const packages = parseDpkgStatus(stanza('install ok installed'), 'status');
    expect(unsettledReason({ packages, journalEntries: 2 })).toContain('dpkg was interrupted');
  });

  test('a failed package on the recorded host', () => {
    const packages = parseDpkgStatus(
      fixture('status-half-configured.txt').toString().split('\nPackage: diffutils')[0] ?? '',
      'status',
    );
    expect(unsettledReason({ packages, journalEntries: 0 })).toContain('demo-failing-postinst:all');
  });
});

describe('what counts as there', () => {
  test.each([
    ['installed', 1],
    ['half-configured', 1],
    ['unpacked', 1],
    ['half-installed', 1],
    ['triggers-pending', 1],
    ['config-files', 0],
    ['not-installed', 0],
  ])('%s', (state, count) => {
    const packages = parseDpkgStatus(stanza(`install ok ${state}`), 'status');
    expect(presentPackages(packages)).toHaveLength(count);
  });
});

describe('a damaged database is named', () => {
  test.each([
    ['Status: install ok installed\n', 'Package'],
    ['Package: demo\nStatus: install ok sleeping\n', 'demo'],
    ['Package: demo\nVersion: 1\n', 'demo'],
  ])('%j', (text, named) => {
    expect(() => parseDpkgStatus(text, '/somewhere/status')).toThrow(named);
    expect(() => parseDpkgStatus(text, '/somewhere/status')).toThrow('/somewhere/status');
  });

  test('blank lines with blanks in them, more of them, and none at the end', () => {
    const text = `\n${stanza('install ok installed')} \n\n\t\n${stanza('install ok unpacked').trimEnd()}`;
    expect(parseDpkgStatus(text, 'status')).toHaveLength(2);
  });
});
