import { describe, expect, test } from '@jest/globals';
import { parseDnfVersion } from '../../../src/host/dnf/find-dnf.ts';
import { nameFailure } from '../../../src/host/dnf/name-failure.ts';
import {
  parseAdvisoryList,
  parseCheckUpdate,
  parseOffers,
  parseRepositoryIds,
} from '../../../src/host/dnf/parse-offers.ts';
import { channelsOf } from '../../../src/core/advisories/channels-of.ts';
import { parseRpmPackages, toInstalled } from '../../../src/host/dnf/parse-rpm-packages.ts';
import { parseTransaction, wasOnlyAsked } from '../../../src/host/dnf/parse-transaction.ts';
import { parseVersionLocks } from '../../../src/host/dnf/parse-versionlock.ts';
import { recorded } from './recorded.ts';

const both = ['dnf4', 'dnf5'] as const;
const generationOf = (dnf: (typeof both)[number]): 4 | 5 => (dnf === 'dnf4' ? 4 : 5);
const rows = (some: { name: string; arch: string; version: string }[]): string[] =>
  some.map(({ name, arch, version }) => `${name} ${arch} ${version}`);

test('which dnf it is', () => {
  expect(parseDnfVersion(recorded('dnf4-version.txt'))).toBe(4);
  expect(parseDnfVersion(recorded('dnf5-version.txt'))).toBe(5);
  // yum 3 of RHEL 7 speaks another language.
  expect(parseDnfVersion('3.4.3\n  Installed: rpm-4.11.3-48.el7.x86_64\n')).toBeNull();
  expect(parseDnfVersion('')).toBeNull();
});

describe("rpm's database", () => {
  test('packages with epoch, source, module and time; no keys', () => {
    const packages = parseRpmPackages(recorded('rpm-qa.tsv'));
    expect(packages).toHaveLength(10);
    expect(packages.find(({ name }) => name === 'gs-two')).toEqual({
      ...{ name: 'gs-two', arch: 'noarch', version: '1.1-1.el9' },
      ...{ source: 'gs-two', sourceVersion: '1.1-1.el9', module: null },
      ...{ vendor: null, installedAtMs: 1_795_932_740_000 },
    });
    const line =
      'nodejs\t1\t18.16.1\t1.module+el9\tx86_64\tnodejs-18.16.1-1.module+el9.src.rpm\tnodejs:18:9:abc\tAlmaLinux\t12\n';
    expect(parseRpmPackages(line)).toMatchObject([
      {
        version: '1:18.16.1-1.module+el9',
        module: 'nodejs:18',
        vendor: 'AlmaLinux',
        installedAtMs: 12_000,
      },
    ]);
    expect(Object.keys(toInstalled(packages)[0] ?? {}).sort()).toEqual(
      ['arch', 'name', 'source', 'sourceVersion', 'version'].sort(),
    );
  });

  test('what rpm does not write is an error', () => {
    expect(() => parseRpmPackages('error: cannot open Packages database\n')).toThrow('line 1');
  });
});

describe.each(both)('%s before a transaction', (dnf) => {
  const plan = (name: string) => parseTransaction(recorded(`${dnf}-${name}.txt`));

  test('upgrades and what comes with them, also in rows that are wrapped', () => {
    const output = recorded(`${dnf}-assumeno.txt`);
    expect(wasOnlyAsked(output)).toBe(true);
    const { upgrades, installs, removes, skipped } = parseTransaction(output);
    expect(rows(upgrades).sort()).toEqual(['gs-dep noarch 2.0-1.el9', 'gs-two noarch 1.1-1.el9']);
    expect(rows(installs)).toEqual([
      'gs-with-a-really-long-name-that-wraps-lines noarch 1234567890.1234567890-1.module_el9.0.0+1234567.el9',
    ]);
    expect([removes, skipped]).toEqual([[], []]);
  });

  test('what would be removed: by a conflict, by an obsolete, the oldest kernel', () => {
    expect(rows(plan('assumeno-erasing').removes)).toEqual(['gs-rival noarch 1.0-1.el9']);
    expect(rows(plan('obsoletes').removes)).toEqual(['gs-old noarch 1.0-1.el9']);
    const kernel = plan('kernel');
    expect(rows(kernel.installs)).toEqual(['kernel noarch 5.14.0-3.el9']);
    expect(rows(kernel.removes)).toEqual(['kernel noarch 5.14.0-1.el9']);
  });

  test('what it would leave out, content with that', () => {
    const output = recorded(`${dnf}-skipped.txt`);
    expect(wasOnlyAsked(output)).toBe(false);
    expect(rows(parseTransaction(output).skipped)).toEqual(['gs-lean noarch 2.0-1.el9']);
    expect(parseTransaction(output).upgrades).toEqual([]);
  });

  test('candidates, versions and advisories', () => {
    const candidates = parseCheckUpdate(recorded(`${dnf}-check-update.txt`));
    expect(Object.fromEntries(candidates)).toMatchObject({
      'gs-two.noarch': '1.1-1.el9',
      'kernel.noarch': '5.14.0-3.el9',
    });
    expect([...candidates.keys()]).not.toContain('gs-old.noarch');
    const offers = parseOffers(recorded(`${dnf}-repoquery.txt`));
    expect(rows(offers)).toEqual([
      ...['1', '2', '3'].map((release) => `gs-one noarch 1.0-${release}.el9`),
      ...['gs-two noarch 1.0-1.el9', 'gs-two noarch 1.1-1.el9'],
    ]);
    expect(offers[0]).toMatchObject({ source: 'gs-one', repository: 'bed' });
    const advisories = parseAdvisoryList(recorded(`${dnf}-advisories.txt`), generationOf(dnf));
    expect(advisories).toEqual([
      {
        ...{ id: 'GSSA-2026:0001', security: true },
        ...{ name: 'gs-one', arch: 'noarch', version: '1.0-2.el9' },
      },
      {
        ...{ id: 'GSBA-2026:0002', security: false },
        ...{ name: 'gs-one', arch: 'noarch', version: '1.0-3.el9' },
      },
    ]);
  });

  test('versionlock', () => {
    const allows = parseVersionLocks(recorded(`${dnf}-versionlock-list.txt`), generationOf(dnf));
    const at = (name: string, version: string) => allows({ name, arch: 'noarch', version });
    expect(at('gs-two', '1.0-1.el9')).toBe(true);
    expect(at('gs-two', '1.1-1.el9')).toBe(false);
    expect(at('gs-dep', '2.0-1.el9')).toBe(false);
    expect(at('gs-dep', '3.0-1.el9')).toBe(true);
    expect(at('gs-one', '1.0-3.el9')).toBe(true);
  });
});

test('channels, by the repositories that are enabled', () => {
  const ids = parseRepositoryIds(
    [
      'Updating Subscription Management repositories.',
      'repo id                              repo name',
      'epel                                 Extra Packages for Enterprise Linux 9',
      'rhel-9-for-x86_64-baseos-eus-rpms    Red Hat Enterprise Linux 9 - BaseOS - EUS',
    ].join('\n'),
  );
  expect(ids).toEqual(['epel', 'rhel-9-for-x86_64-baseos-eus-rpms']);
  expect(channelsOf(ids)).toEqual(['epel', 'eus']);
  expect(channelsOf(['baseos', 'status-rpms', 'museum', 'rhel-9-for-x86_64-baseos-rpms'])).toEqual(
    [],
  );
  expect(parseRepositoryIds('No repositories available\n')).toEqual([]);
});

test('versionlock as people write it by hand: epochs, globs, bare names', () => {
  const allows = parseVersionLocks('bind-32:9.16.*\nbash\n!php-8.1*\n# note\n', 4);
  const at = (name: string, version: string) => allows({ name, arch: 'x86_64', version });
  expect(at('bash', '5-1')).toBe(true);
  expect(at('php', '8.1.2-1.el9')).toBe(false);
  expect(at('php', '8.2.0-1.el9')).toBe(true);
  const older = parseVersionLocks('Package name: bind\nevr < 32:9.17-1\narch = x86_64\n', 5);
  expect(older({ name: 'bind', arch: 'x86_64', version: '32:9.16-1' })).toBe(true);
  expect(older({ name: 'bind', arch: 'x86_64', version: '32:9.18-1' })).toBe(false);
  expect(older({ name: 'bind', arch: 'i686', version: '32:9.16-1' })).toBe(false);
});

describe('an EL 9 host', () => {
  test('104 upgrades in a table of wrapped headings, 403 advisories, names longer than their column', () => {
    const output = recorded('dnf4-el9-upgrade-security.txt.gz');
    expect(parseTransaction(output).upgrades).toHaveLength(104);
    const advisories = parseAdvisoryList(recorded('dnf4-el9-updateinfo-list-security.txt.gz'), 4);
    expect(advisories).toHaveLength(403);
    expect(advisories.every(({ security }) => security)).toBe(true);
    const candidates = parseCheckUpdate(recorded('dnf4-el9-check-update.txt'));
    expect(candidates.get('java-25-openjdk-crypto-adapter-fastdebug.noarch')).toBe(
      '1:25.0.4.0.7-1.1.el10_2.alma.1',
    );
  });
});

describe('why it failed', () => {
  const kindOf = (name: string): string => nameFailure(recorded(`${name}.txt`), 1).kind;

  test.each([
    ['conflict', 'unmet-dependencies'],
    ['missing-dependency', 'unmet-dependencies'],
    ['no-such-version', 'unknown-version'],
    ['refresh-unreachable', 'repository-unreachable'],
    ['refresh-damaged', 'repository-unreachable'],
    ['upgrade-damaged', 'repository-unreachable'],
    ['refresh-unsigned', 'repository-untrusted'],
    ['upgrade-no-key', 'repository-untrusted'],
    ['refresh-bad-file', 'sources-invalid'],
    ['refresh-no-url', 'sources-invalid'],
  ])('%s: %s, with both', (name, kind) => {
    expect([kindOf(`dnf4-${name}`), kindOf(`dnf5-${name}`)]).toEqual([kind, kind]);
  });

  test.each([
    ['dnf4-rpm-lock', 'lock-timeout'],
    ['dnf4-pid-lock', 'lock-timeout'],
    ['dnf4-upgrade-disk-full', 'disk-full'],
    ['dnf5-upgrade-locked', 'held'],
    ['dnf5-upgrade-excluded', 'held'],
    // All that dnf 4 says; versionlock itself is asked before.
    ['dnf4-upgrade-locked', 'unknown-version'],
    // dnf 5 says no more.
    ['dnf5-rpm-lock', 'other'],
  ])('%s: %s', (name, kind) => {
    expect(kindOf(name)).toBe(kind);
  });

  test('a repository that its server has not, unlike one that is away or being filled', () => {
    const repomd = 'Status code: 404 for http://x/os/repodata/repomd.xml (IP: 1.2.3.4)';
    const away = 'Curl error (7): Failed to connect to server for http://y/os/repodata/repomd.xml';
    const primary = 'Status code: 404 for http://x/os/repodata/1a2b-primary.xml.gz (IP: 1.2.3.4)';
    const list = 'Status code: 404 for https://x/metalink?repo=bed&arch=x86_64 (IP: 1.2.3.4)';
    const failed = "Error: Failed to download metadata for repo 'bed': Cannot download repomd.xml";
    const dnf4 = (...said: string[]): string =>
      [
        ...["Errors during downloading metadata for repository 'bed':"],
        ...[...said.map((line) => `  - ${line}`), failed],
      ].join('\n');
    const dnf5 = (...said: string[]): string =>
      [
        ...['Updating and loading repositories:', ...said.map((line) => `>>> ${line} - http://x`)],
        ...['>>> Usable URL not found', 'Failed to download metadata (baseurl: "http://x/os")'],
      ].join('\n');
    for (const dnf of [dnf4, dnf5]) {
      const kind = (...said: string[]): string => nameFailure(dnf(...said), 1).kind;
      expect(kind(repomd, repomd)).toBe('repository-missing');
      expect(kind(list)).toBe('repository-missing');
      // One of several mirrors, and one that is being filled.
      expect(kind(repomd, away)).toBe('repository-unreachable');
      expect(kind(primary)).toBe('repository-unreachable');
      expect(kind('Status code: 503 for http://x/os/repodata/repomd.xml')).toBe(
        'repository-unreachable',
      );
      expect(kind('Status code: 404 for http://x/os/Packages/a-1-1.rpm (IP: 1.2.3.4)')).toBe(
        'repository-unreachable',
      );
      const { message, remedy } = nameFailure(dnf(repomd), 1);
      expect(message.startsWith(repomd)).toBe(true);
      expect(remedy).toContain('/etc/yum.repos.d');
    }
  });

  test('in its own words, with the line that tells', () => {
    for (const dnf of both)
      expect(nameFailure(recorded(`${dnf}-missing-dependency.txt`), 1).message).toContain(
        'package gs-needs-1.0-1.el9.noarch: nothing provides nowhere-to-be-found >= 3 needed by gs-needs-2.0-1.el9.noarch',
      );
    expect(nameFailure(recorded('dnf4-upgrade-disk-full.txt'), 1).message).toContain(
      'more space on the /usr/share/gs-two filesystem',
    );
    expect(nameFailure(recorded('dnf5-rpm-lock.txt'), 1).message).toBe(
      'Transaction failed: Rpm transaction failed.',
    );
    expect(nameFailure('', 3)).toMatchObject({ kind: 'other', message: 'dnf ended with status 3' });
  });
});
