import { describe, expect, test } from '@jest/globals';
import { mayBeFetched, namedSuites } from '../../../src/core/advisories/named-suites.ts';
import type { NamingHosts } from '../../../src/core/advisories/named-suites.ts';
import type { SecuritySuite } from '../../../src/core/advisories/security-suite.ts';
import { Report } from '../../../src/core/messages.ts';

const suite = (more: Partial<SecuritySuite> = {}): SecuritySuite => ({
  ...{ url: 'http://deb.debian.org/debian-security', suite: 'bookworm-security' },
  ...{ components: ['main'], architectures: ['amd64'], ...more },
});
const host = (name: string, more: Partial<NamingHosts> = {}): NamingHosts => ({
  ...{ host: name, hosts: 1, platform: 'debian-12', suites: [suite()], ...more },
});

describe('what hosts name', () => {
  test('is each suite once, with all that they name of it', () => {
    const other = suite({ components: ['contrib', 'main'], architectures: ['arm64'] });
    expect(namedSuites([host('h1'), host('h2', { hosts: 3, suites: [other] })])).toEqual([
      {
        ...suite({ components: ['contrib', 'main'], architectures: ['amd64', 'arm64'] }),
        ...{ platforms: ['debian-12'], hosts: 4, host: 'h1' },
      },
    ]);
  });

  test('has what most hosts name first, whatever a single one names', () => {
    const junk = Array.from({ length: 16 }, (_, i) => suite({ url: `http://a${i}.example.org` }));
    const named = namedSuites([host('bad', { suites: junk }), host('h1', { hosts: 2 })]);
    expect(named).toHaveLength(17);
    expect(named[0]?.url).toBe('http://deb.debian.org/debian-security');
  });

  test('keeps apart which platforms name it, and is nothing of hosts without apt', () => {
    const named = namedSuites([
      host('h1'),
      host('h2', { platform: 'ubuntu-22.04' }),
      host('h3', { platform: 'almalinux-9' }),
    ]);
    expect(named).toMatchObject([{ hosts: 2, platforms: ['debian-12', 'ubuntu-22.04'] }]);
  });

  test('can be limited to a platform and to a suite', () => {
    const hosts = [
      host('h1', { suites: [suite(), suite({ suite: 'trixie-security' })] }),
      host('h2', { platform: 'ubuntu-22.04', suites: [suite({ suite: 'jammy-security' })] }),
    ];
    const called = (limits: Parameters<typeof namedSuites>[1]): string[] =>
      namedSuites(hosts, limits).map((one) => one.suite);
    expect(called({ platform: 'ubuntu-22.04' })).toEqual(['jammy-security']);
    expect(called({ suite: 'trixie-security' })).toEqual(['trixie-security']);
  });
});

describe('an address that only a host names', () => {
  const mirrors = ['http://mirror.example.org/debian-security/', 'https://all.example.org'];
  test.each([
    'http://deb.debian.org/debian-security',
    'https://security.ubuntu.com/ubuntu',
    'http://de.archive.ubuntu.com/ubuntu',
    'http://mirror.example.org/debian-security',
    'http://mirror.example.org/debian-security/sub',
    'https://all.example.org/anything',
  ])('is fetched: %s', (address) => {
    expect(mayBeFetched(address, mirrors)).toBe(true);
  });
  test.each([
    'http://169.254.169.254/latest',
    'http://127.0.0.1:6379',
    'http://deb.debian.org:8080/debian-security',
    'http://deb.debian.org.example.net/debian-security',
    'http://x.deb.debian.org/debian-security',
    'http://mirror.example.org/debian-security-other',
    'http://mirror.example.org:81/debian-security',
    'https://mirror.example.org/debian-security',
    'http://all.example.org/anything',
  ])('is not: %s', (address) => {
    expect(mayBeFetched(address, mirrors)).toBe(false);
  });
});

describe('a report', () => {
  const report = {
    ...{ kind: 'host-inventory', transaction: 1, refreshedAt: null, refreshProblem: null },
    ...{ inventory: { platform: 'debian-12', packages: [] }, offers: [] },
  };

  test('of an agent that does not tell them yet names none', () => {
    expect(Report.parse(report)).toMatchObject({ securitySuites: [] });
  });

  test.each([
    ['a password', { url: 'http://joe:secret@mirror.example.org/debian' }],
    ['another scheme', { url: 'file:///etc' }],
    ['a query', { url: 'http://mirror.example.org/?a=b' }],
    ['a way up', { url: 'http://mirror.example.org/a/../b' }],
    ['a path as a suite', { suite: '../../etc' }],
    ['a space in a component', { components: ['main\nx'] }],
  ])('with %s is refused', (_, more) => {
    const { success } = Report.safeParse({ ...report, securitySuites: [suite(more)] });
    expect(success).toBe(false);
  });

  test('names no more than a few', () => {
    const many = Array.from({ length: 17 }, (_, i) => suite({ suite: `s${i}-security` }));
    expect(Report.safeParse({ ...report, securitySuites: many }).success).toBe(false);
    const few = many.slice(0, 16);
    expect(Report.safeParse({ ...report, securitySuites: few }).success).toBe(true);
  });
});
