import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { parseFileOrigins, parseOrigins } from '../../../src/host/apt/parse-origins.ts';
import { parsePackagesIndex } from '../../../src/host/apt/parse-packages-index.ts';
import { chooseReleaseIndexes } from '../../../src/host/apt/read-release-core.ts';

const fixture = (name: string): string => readFileSync(`test/fixtures/${name}`, 'utf8');

test('an index: names without versions and architectures, what is needed before and after', () => {
  const text = `Package: init
Pre-Depends: systemd-sysv | runit-init, \${x}
Depends: init-system-helpers (>= 1.25~), perl:any [amd64]
Priority: important
Description: Depends: nothing
 Provides: nothing

Package: mawk
Provides: awk (= 1), old-awk
Essential: yes
Priority: required
`;
  expect(parsePackagesIndex(text)).toEqual([
    {
      ...{ name: 'init', priority: 'important', essential: false, provides: [] },
      depends: [['systemd-sysv', 'runit-init'], ['${x}'], ['init-system-helpers'], ['perl']],
    },
    {
      ...{ name: 'mawk', priority: 'required', essential: true, depends: [] },
      provides: ['awk', 'old-awk'],
    },
  ]);
});

describe('the index of a release among those that apt has', () => {
  const debian = fixture('platforms/indextargets-debian-12.txt');

  test('of Debian: not its updates, nor the security suite', () => {
    const chosen = chooseReleaseIndexes(debian, { id: 'debian', codename: 'bookworm' });
    expect(chosen).toEqual([
      {
        path: '/var/lib/apt/lists/deb.debian.org_debian_dists_bookworm_main_binary-amd64_Packages.lz4',
        from: 'Debian 12.15 (bookworm) main amd64',
      },
    ]);
  });

  test('of Ubuntu, whose pockets all have the codename', () => {
    const ubuntu = fixture('platforms/indextargets-ubuntu-24.04.txt');
    expect(ubuntu).toContain('Suite: noble-updates');
    const chosen = chooseReleaseIndexes(ubuntu, { id: 'ubuntu', codename: 'noble' });
    expect(chosen.map(({ from }) => from)).toEqual(['Ubuntu 24.04 (noble) main amd64']);
  });

  test.each([
    [debian, 'trixie', /no index of debian trixie.*Debian 12\.15 \(bookworm\) main amd64/],
    ['', 'bookworm', /none at all.*apt-get update/],
    // Somebody else's archive of the same codename.
    [debian.replaceAll('Origin: Debian', 'Origin: Acme'), 'bookworm', /it has Acme 12\.15/],
    [debian.replaceAll('Component: main', 'Component: contrib'), 'bookworm', /component main/],
  ])('none: %#', (output, codename, message) => {
    expect(() => chooseReleaseIndexes(output, { id: 'debian', codename })).toThrow(message);
  });
});

describe('whose a package is', () => {
  const files = `Package files:
 100 /var/lib/dpkg/status
     release a=now
 500 https://download.example/linux/debian bookworm/stable amd64 Packages
     release o=Docker,a=bookworm,l=Docker CE,c=stable,b=amd64
     origin download.example
 500 http://mirror.example/debian bookworm/main amd64 Packages
     release v=12.15,o=Debian,a=oldstable,n=bookworm,l=Debian,c=main,b=amd64
     origin mirror.example
 500 https://flat.example/deb ./ Packages
     release c=
     origin flat.example
 500 file:/srv/own ./ Packages
     release c=
Pinned packages:
`;
  const origins = parseFileOrigins(files);

  test('by repository', () => {
    expect([...origins]).toEqual([
      ['https://download.example/linux/debian bookworm/stable amd64 Packages', 'Docker'],
      ['http://mirror.example/debian bookworm/main amd64 Packages', 'Debian'],
      ['https://flat.example/deb ./ Packages', 'flat.example'],
      ['file:/srv/own ./ Packages', 'file:/srv/own'],
    ]);
  });

  const debian = '        500 http://mirror.example/debian bookworm/main amd64 Packages';
  const docker = '        500 https://download.example/linux/debian bookworm/stable amd64 Packages';
  const flat = '        500 https://flat.example/deb ./ Packages';
  const dpkg = '        100 /var/lib/dpkg/status';

  test.each([
    ['who offers the installed version', [' *** 2 500', debian, dpkg], 'Debian'],
    [
      'also where another has a newer one',
      ['     3 500', docker, ' *** 2 500', debian, dpkg],
      'Debian',
    ],
    ['who has a newer one in its place', ['     3 500', debian, ' *** 2 100', dpkg], 'Debian'],
    [
      'the newest of several others',
      ['     4 500', docker, '     3 500', flat, ' *** 2 100', dpkg],
      'Docker',
    ],
    [
      'the distribution, where another has something newer still',
      ['     4 500', docker, '     3 500', debian, ' *** 2 100', dpkg],
      'Debian',
    ],
    [
      'who offers the installed version, where the distribution has a newer one',
      ['     3 500', debian, ' *** 2 500', docker, dpkg],
      'Docker',
    ],
    ['nobody, where others have only older ones', [' *** 2 100', dpkg, '     1 500', debian], null],
    ['nobody', [' *** 2 100', dpkg], null],
    ['of two repositories the first', [' *** 2 500', docker, flat, dpkg], 'Docker'],
    ['of two repositories the distribution’s', [' *** 2 500', docker, debian, dpkg], 'Debian'],
  ])('%s', (_, table, expected) => {
    const output = ['other:', ...['     9 500', docker], 'one:', '  Version table:', ...table];
    const found = parseOrigins(output.join('\n'), origins);
    expect([...found]).toEqual([
      ['other', 'Docker'],
      ['one', expected],
    ]);
  });

  test('of recorded answers', () => {
    const found = parseOrigins(fixture('apt/apt-cache-policy.txt'), origins);
    expect([...found.values()]).toEqual(['Debian', 'Debian', 'Debian', 'Debian']);
  });
});
