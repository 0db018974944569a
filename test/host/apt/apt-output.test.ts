import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parseCgroupDirectories } from '../../../src/host/packages/cgroup-directories.ts';
import { parseProcLocks } from '../../../src/host/packages/lock-holders.ts';
import { nameFailure } from '../../../src/host/apt/name-failure.ts';
import { parsePolicy, parseSecuritySources } from '../../../src/host/apt/parse-policy.ts';
import { parseSimulation } from '../../../src/host/apt/parse-simulation.ts';

const fixture = (name: string): string =>
  readFileSync(new URL(`../../fixtures/apt/${name}`, import.meta.url), 'utf8');

describe('apt-get -s', () => {
  test('upgrade', () => {
    const { installs, removes, configures, keptBack } = parseSimulation(
      fixture('apt-get-s-upgrade.txt'),
    );
    expect(installs).toHaveLength(25);
    expect(installs[0]).toEqual({
      ...{ name: 'libperl5.36', arch: 'amd64' },
      ...{ from: '5.36.0-7+deb12u3', to: '5.36.0-7+deb12u4' },
      origins: ['Debian-Security:12/oldstable-security'],
    });
    expect(removes).toEqual([]);
    expect(configures).toContain('perl-base');
    expect(keptBack).toEqual(['linux-image-amd64']);
  });

  test('dist-upgrade installs a new kernel', () => {
    const { installs } = parseSimulation(fixture('apt-get-s-dist-upgrade.txt'));
    expect(installs.filter(({ from }) => from === null).map(({ name }) => name)).toEqual([
      'linux-image-6.1.0-56-amd64',
    ]);
  });

  test('a package that is left unconfigured', () => {
    expect(parseSimulation(fixture('apt-get-s-upgrade.with-broken.txt'))).toMatchObject({
      installs: [],
      configures: ['demo-failing-postinst'],
    });
  });

  test('a held package is kept back', () => {
    const { installs, keptBack } = parseSimulation(fixture('apt-get-s-upgrade.with-hold.txt'));
    expect(installs.map(({ name }) => name)).toEqual(['liblzma5']);
    expect(keptBack).toEqual(['xz-utils']);
  });

  test.each([
    ['Remv lxc [1:5.0.2-1]', { removes: [{ name: 'lxc', version: '1:5.0.2-1' }] }],
    ['Purg less [590-2.1~deb12u2]', { removes: [{ name: 'less', version: '590-2.1~deb12u2' }] }],
    [
      'Inst a:i386 [1] (2 Debian:12.15/oldstable, Debian-Security:12/oldstable-security [i386])',
      {
        installs: [
          {
            ...{ name: 'a', arch: 'i386', from: '1', to: '2' },
            origins: ['Debian:12.15/oldstable', 'Debian-Security:12/oldstable-security'],
          },
        ],
      },
    ],
    [
      'Inst a (1:2  [all])',
      { installs: [{ name: 'a', arch: 'all', from: null, to: '1:2', origins: [] }] },
    ],
  ])('%s', (line, expected) => {
    expect(parseSimulation(line)).toMatchObject(expected);
  });

  test.each(['Inst what', 'Remv what'])('a line that cannot be read: %s', (line) => {
    expect(() => parseSimulation(line)).toThrow(JSON.stringify(line));
  });
});

const SOURCES = `Package files:
 100 /var/lib/dpkg/status
     release a=now
 500 http://mirror.example/debian-security bookworm-security/main amd64 Packages
     release v=12,o=Debian,a=oldstable-security,n=bookworm-security,l=Debian-Security,c=main,b=amd64
     origin mirror.example
 500 http://mirror.example/debian bookworm/main amd64 Packages
     release v=12.15,o=Debian,a=oldstable,n=bookworm,l=Debian,c=main,b=amd64
     origin mirror.example
 500 http://mirror.example/ubuntu noble-security/main amd64 Packages
     release v=24.04,o=Ubuntu,a=noble-security,n=noble,l=Ubuntu,c=main,b=amd64
     origin mirror.example
 500 http://mirror.example/ubuntu noble-updates/main amd64 Packages
     release v=24.04,o=Ubuntu,a=noble-updates,n=noble,l=Ubuntu,c=main,b=amd64
     origin mirror.example
Pinned packages:
     release a=never
`;

describe('apt-cache policy', () => {
  test('security suites of Debian and Ubuntu', () => {
    expect([...parseSecuritySources(SOURCES)]).toEqual([
      'http://mirror.example/debian-security bookworm-security/main amd64 Packages',
      'http://mirror.example/ubuntu noble-security/main amd64 Packages',
    ]);
  });

  test('versions and where they are from', () => {
    const policies = parsePolicy(fixture('apt-cache-policy.txt'), parseSecuritySources(SOURCES));
    expect(policies.map(({ name }) => name)).toEqual([
      'openssl',
      'libssl3',
      'nginx-light',
      'linux-image-amd64',
    ]);
    expect(policies[0]).toEqual({
      name: 'openssl',
      candidate: '3.0.22-1~deb12u2',
      versions: [
        {
          ...{ version: '3.0.22-1~deb12u2', priority: 500, installed: false },
          ...{ security: true, available: true },
        },
        {
          ...{ version: '3.0.20-1~deb12u2', priority: 500, installed: true },
          ...{ security: false, available: true },
        },
        {
          ...{ version: '3.0.17-1~deb12u2', priority: 500, installed: false },
          ...{ security: false, available: true },
        },
      ],
    });
  });

  test('no candidate, a negative pin, a version that only dpkg has', () => {
    const [policy] = parsePolicy(
      `libfoo:i386:
  Installed: 1-1
  Candidate: (none)
  Version table:
     2-1 -10
        -10 http://mirror.example/debian bookworm/main i386 Packages
 *** 1-1 100
        100 /var/lib/dpkg/status
`,
      new Set(),
    );
    expect(policy).toEqual({
      name: 'libfoo:i386',
      candidate: null,
      versions: [
        { version: '2-1', priority: -10, installed: false, security: false, available: true },
        { version: '1-1', priority: 100, installed: true, security: false, available: false },
      ],
    });
  });
});

describe('failures are named', () => {
  test.each([
    ['apt-get-lock-held.txt', 'lock-timeout', 'held by process 287 (python3)'],
    ['apt-get-no-such-version.txt', 'unknown-version', "Version '9.9.9' for 'openssl'"],
    ['apt-get-no-such-package.txt', 'unknown-package', 'no-such-package-xyz'],
    ['apt-get-install-held-refused.txt', 'held', 'Held packages were changed'],
    ['apt-get-install-failing-postinst.txt', 'package-failed', 'returned error exit status 1'],
  ])('recorded: %s', (name, kind, words) => {
    const failure = nameFailure(fixture(name), 100);
    expect(failure).toMatchObject({ kind });
    expect(failure.message).toContain(words);
    expect(failure.remedy).not.toBe('');
  });

  test.each([
    [
      "E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct",
      'interrupted',
    ],
    ["E: You don't have enough free space in /var/cache/apt/archives/.", 'disk-full'],
    [
      'dpkg: error processing archive /x.deb (--unpack):\n cannot copy: No space left on device',
      'disk-full',
    ],
    [
      'W: GPG error: file:/r x InRelease: The following signatures: NO_PUBKEY 12',
      'repository-untrusted',
    ],
    ["E: The repository 'file:/r x InRelease' is not signed.", 'repository-untrusted'],
    ['E: Failed to fetch http://x/InRelease  Could not connect to x:80', 'repository-unreachable'],
    [
      "E: The repository 'http://m bookworm Release' does not have a Release file.",
      'repository-unreachable',
    ],
    [
      "E: The repository 'http://m bookworm Release' no longer has a Release file.",
      'repository-unreachable',
    ],
    [
      'E: Release file for http://m/dists/bookworm/InRelease is expired (invalid since 1d 2h 3min 4s). Updates for this repository will not be applied.',
      'repository-untrusted',
    ],
    [
      'E: Release file for http://m/dists/bookworm/InRelease is not valid yet (invalid for another 2h 1s). Updates for this repository will not be applied.',
      'repository-untrusted',
    ],
    [
      "E: Repository 'http://m bookworm InRelease' changed its 'Suite' value from 'stable' to 'oldstable'",
      'repository-untrusted',
    ],
    [
      'E: Failed to fetch http://m/x.deb  Error writing to file - write (28: No space left on device) [IP: 10.0.0.1 80]\nE: Unable to fetch some archives, maybe run apt-get update or try with --fix-missing?',
      'disk-full',
    ],
    ['E: Write error - write (28: No space left on device)', 'disk-full'],
    ['E: Packages need to be removed but remove is disabled.', 'would-remove'],
    ['E: Packages were downgraded and -y was used without --allow-downgrades.', 'would-downgrade'],
    ['E: Unable to correct problems, you have held broken packages.', 'unmet-dependencies'],
    ['E: Malformed entry 1 in list file /etc/apt/sources.list (Suite)', 'sources-invalid'],
    ['dpkg: error: unable to write: Read-only file system', 'read-only'],
    ['E: Something new', 'other'],
  ])('%s', (output, kind) => {
    expect(nameFailure(output, 100).kind).toBe(kind);
  });

  test('a repository that its server has not, unlike one that is away or being filled', () => {
    expect(nameFailure(fixture('apt-get-update-missing.txt'), 100)).toMatchObject({
      kind: 'repository-missing',
      message: expect.stringMatching(/^http:\S+ nosuch Release: 404 /) as unknown,
      remedy: expect.stringContaining('/etc/apt') as unknown,
    });
    const gone = "E: The repository 'http://x/debian foo Release' no longer has a Release file.";
    const kindOf = (...lines: string[]): string => nameFailure(lines.join('\n'), 100).kind;
    expect(kindOf('Err:2 http://x/debian foo Release', '  410  Gone', gone)).toBe(
      'repository-missing',
    );
    for (const output of [
      ['Err:2 http://x/debian foo Release', '  503  Service Unavailable [IP: 1.2.3.4 80]', gone],
      ['Err:1 file:/r ./ Release', '  File not found - /r/./Release (2: No such file)', gone],
      ['Err:1 http://x/d foo/main amd64 Packages', '  404  Not Found', 'E: Failed to fetch http:x'],
      ['E: Failed to fetch http://x/pool/a_1_amd64.deb  404  Not Found [IP: 1.2.3.4 80]'],
    ])
      expect([output, kindOf(...output)]).toEqual([output, 'repository-unreachable']);
  });

  test('a failure that says nothing', () => {
    expect(nameFailure('', 42)).toMatchObject({
      kind: 'other',
      message: 'apt ended with status 42',
    });
  });
});

describe('/proc', () => {
  test('locks: only those held for writing, by device and inode', () => {
    const locks = parseProcLocks(`1: POSIX  ADVISORY  WRITE 287 fe:00:391 0 EOF
1: -> POSIX  ADVISORY  WRITE 288 fe:00:392 0 EOF
2: FLOCK  ADVISORY  WRITE 289 00:1b:393 0 EOF
3: POSIX  ADVISORY  READ 290 fe:00:394 0 EOF
4: OFDLCK ADVISORY  WRITE -1 00:2a:395 0 EOF
`);
    expect([...locks]).toEqual([
      ['254:0:391', 287],
      ['0:42:395', -1],
    ]);
  });

  // Of each kind of cgroups, test/host/recorded-hosts.test.ts has a recorded host.
  test.each([
    [
      'a point with a blank',
      '35 31 0:32 / /sys/fs/cgroup/my\\040memory rw - cgroup cgroup rw,memory\n',
      ['/sys/fs/cgroup/my memory/gs'],
    ],
    ['cpuset needs set-up', '34 31 0:31 / /sys/fs/cgroup/x rw - cgroup cgroup rw,cpuset\n', []],
    ['none', '27 1 254:0 / / rw - ext4 /dev/vda rw\n', []],
  ])('control groups: %s', (_, mountinfo, expected) => {
    expect(parseCgroupDirectories(mountinfo, 'gs')).toEqual(expected);
  });
});
