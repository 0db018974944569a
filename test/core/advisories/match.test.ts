import { describe, expect, test } from '@jest/globals';
import type { AffectedRow } from '../../../src/core/advisories/advisory.ts';
import { indexInventory } from '../../../src/core/advisories/index-inventory.ts';
import type { InventoryPackage } from '../../../src/core/advisories/inventory.ts';
import { matchAdvisory } from '../../../src/core/advisories/match.ts';
import { advisory, deb, found, row, rpmRow } from './rows.ts';

const alma = { platform: 'almalinux-9.4' };

describe('on dpkg', () => {
  const libssl = deb('libssl3', '3.0.15-1~deb12u1', {
    source: 'openssl',
    sourceVersion: '3.0.15-1~deb12u1',
  });

  test('by the source package and its version, for each binary of it', () => {
    expect(
      found([row({})], [libssl, deb('openssl', '3.0.17-1~deb12u2'), deb('zlib1g', '1')]),
    ).toEqual(['libssl3 3.0.17-1~deb12u2 pending', 'openssl 3.0.17-1~deb12u2 applied']);
  });

  test('a binary that was built anew has the version of its source', () => {
    const fixed = row({ name: 'a', fixed: '1.0-2' });
    const rebuilt = deb('liba', '1.0-2+b3', { source: 'a', sourceVersion: '1.0-2' });
    expect(found([fixed], [rebuilt, deb('a', '1.0-2+b1')])).toEqual([
      'liba 1.0-2 applied',
      'a 1.0-2 applied',
    ]);
  });

  test('a binary may have another version than its source, with an epoch of its own', () => {
    const fixed = row({ name: 'gcc-defaults', fixed: '1.204' });
    const gcc = deb('gcc', '4:12.2.0-3', { source: 'gcc-defaults', sourceVersion: '1.203' });
    expect(found([fixed], [gcc])).toEqual(['gcc 1.204 pending']);
  });

  test.each<[string, InventoryPackage, AffectedRow, string]>([
    [
      'kernels',
      deb('linux-image-6.1.0-47-amd64', '6.1.170-3', {
        source: 'linux-signed-amd64',
        sourceVersion: '6.1.170+3',
      }),
      row({ name: 'linux', fixed: '6.1.176-1' }),
      'linux-image-6.1.0-47-amd64 6.1.176-1 pending',
    ],
    [
      'kernels with the fix',
      deb('linux-image-6.1.0-50-amd64', '6.1.176-1', {
        source: 'linux-signed-amd64',
        sourceVersion: '6.1.176+1',
      }),
      row({ name: 'linux', fixed: '6.1.176-1' }),
      'linux-image-6.1.0-50-amd64 6.1.176-1 applied',
    ],
    [
      "Ubuntu's other kernels",
      deb('linux-image-6.5.0-14-generic', '6.5.0-14.14~22.04.1', {
        source: 'linux-signed-hwe-6.5',
        sourceVersion: '6.5.0-14.14~22.04.1',
      }),
      row({ name: 'linux-hwe-6.5', fixed: '6.5.0-17.17~22.04.1' }),
      'linux-image-6.5.0-14-generic 6.5.0-17.17~22.04.1 pending',
    ],
    [
      'boot loaders, in whose versions no dash was possible',
      deb('grub-efi-amd64-signed', '1+2.06+13+deb12u1'),
      row({ name: 'grub2', fixed: '2.06-13+deb12u2' }),
      'grub-efi-amd64-signed 2.06-13+deb12u2 pending',
    ],
    [
      'boot loaders with the fix',
      deb('grub-efi-amd64-signed', '1+2.06+13+deb12u2'),
      row({ name: 'grub2', fixed: '2.06-13+deb12u2' }),
      'grub-efi-amd64-signed 2.06-13+deb12u2 applied',
    ],
    [
      'shim, by the version that its own carries',
      deb('shim-signed', '1.51~1+deb12u1+16.1-2~deb12u1', { sourceVersion: '1.51~1+deb12u1' }),
      row({ name: 'shim', fixed: '16.1-3~deb12u1' }),
      'shim-signed 16.1-3~deb12u1 pending',
    ],
    [
      'the helpers of shim',
      deb('shim-helpers-amd64-signed', '1+16.1+2~deb12u1'),
      row({ name: 'shim', fixed: '16.1-2~deb12u1' }),
      'shim-helpers-amd64-signed 16.1-2~deb12u1 applied',
    ],
    [
      'firmware, of a source of its own since Debian 12',
      deb('fwupd-amd64-signed', '1:1.4+1'),
      row({ name: 'fwupd-efi', fixed: '1:1.4-2' }),
      'fwupd-amd64-signed 1:1.4-2 pending',
    ],
    [
      'firmware, before that',
      deb('fwupd-amd64-signed', '1.5.7+4'),
      row({ name: 'fwupd', fixed: '1.5.7-4+deb11u1' }),
      'fwupd-amd64-signed 1.5.7-4+deb11u1 pending',
    ],
    [
      "firmware of Ubuntu, whose own version carries the other one's without an epoch",
      deb('fwupd-signed', '1.51.1~22.04.1+1.4-0ubuntu0.1', { sourceVersion: '1.51.1~22.04.1' }),
      row({ name: 'fwupd-efi', fixed: '1:1.4-0ubuntu0.1' }),
      'fwupd-signed 1:1.4-0ubuntu0.1 applied',
    ],
    [
      "systemd's boot loader",
      deb('systemd-boot-efi-amd64-signed', '257.8+1~deb13u1'),
      row({ name: 'systemd', fixed: '257.9-1~deb13u1' }),
      'systemd-boot-efi-amd64-signed 257.9-1~deb13u1 pending',
    ],
    [
      "a revision that looks like a version: the signing's own number is before boot loaders alone",
      deb('systemd-boot-efi-amd64-signed', '258+1.1'),
      row({ name: 'systemd', fixed: '258-1.1' }),
      'systemd-boot-efi-amd64-signed 258-1.1 applied',
    ],
    [
      'the helpers of a shim that has but one number',
      deb('shim-helpers-amd64-signed', '1+17+1'),
      row({ name: 'shim', fixed: '17-2' }),
      'shim-helpers-amd64-signed 17-2 pending',
    ],
    ...['6.12', '6.1', '5.10'].map((series): [string, InventoryPackage, AffectedRow, string] => [
      `kernels of a newer release, ${series}`,
      deb(`linux-image-${series}.107+deb12-amd64`, `${series}.107-1~deb12u1`, {
        source: `linux-signed-${series}-amd64`,
        sourceVersion: `${series}.107+1~deb12u1`,
      }),
      row({ name: `linux-${series}`, fixed: `${series}.117-1~deb12u1` }),
      `linux-image-${series}.107+deb12-amd64 ${series}.117-1~deb12u1 pending`,
    ]),
    [
      "Ubuntu's boot loader, of the source that is built for signing",
      deb('grub-efi-amd64-signed', '1.187.6+2.06-2ubuntu14.4', {
        source: 'grub2-signed',
        sourceVersion: '1.187.6',
      }),
      row({ name: 'grub2-unsigned', fixed: '2.06-2ubuntu14.5' }),
      'grub-efi-amd64-signed 2.06-2ubuntu14.5 pending',
    ],
  ])('what was signed goes by what it comes from: %s', (_, installed, fixed, expected) => {
    expect(found([fixed], [installed])).toEqual([expected]);
  });

  test('firmware is of one of the two sources, and what is said of the other one is not of it', () => {
    const fwupd = row({ name: 'fwupd', fixed: '1.8.12-3' });
    const efi = row({ name: 'fwupd-efi', fixed: '1:1.4-2' });
    expect(found([fwupd], [deb('fwupd-amd64-signed', '1:1.4+1')])).toEqual([]);
    expect(found([efi], [deb('fwupd-amd64-signed', '1.5.7+4')])).toEqual([]);
    expect(
      found(
        [row({ name: 'linux', fixed: '6.1.176-1' })],
        [
          deb('linux-image-6.12.107+deb12-amd64', '6.12.107-1~deb12u1', {
            source: 'linux-signed-6.12-amd64',
          }),
        ],
      ),
    ).toEqual([]);
  });

  test('an advisory that names the source itself means that, and not also the one it comes from', () => {
    const grub = deb('grub-efi-amd64-signed', '1.187.6+2.06-2ubuntu14.4', {
      source: 'grub2-signed',
      sourceVersion: '1.187.6',
    });
    const rows = [
      row({ name: 'grub2-unsigned', fixed: '2.06-2ubuntu14.5' }),
      row({ name: 'grub2-signed', fixed: '1.187.7~22.04.1' }),
    ];
    expect(found(rows, [grub])).toEqual(['grub-efi-amd64-signed 1.187.7~22.04.1 pending']);
  });

  test('of kernels side by side the newest of each flavour counts', () => {
    const kernel = (name: string, version: string) =>
      deb(`linux-image-${name}`, version, { source: 'linux-signed-amd64', sourceVersion: version });
    const installed = [
      kernel('6.1.0-47-amd64', '6.1.170-3'),
      kernel('6.1.0-50-amd64', '6.1.176-1'),
      kernel('6.1.0-47-cloud-amd64', '6.1.170-3'),
    ];
    expect(found([row({ name: 'linux', fixed: '6.1.176-1' })], installed)).toEqual([
      'linux-image-6.1.0-50-amd64 6.1.176-1 applied',
      'linux-image-6.1.0-47-cloud-amd64 6.1.176-1 pending',
    ]);
  });

  test('another release, distribution or name says nothing', () => {
    expect(found([row({ release: '11' })], [libssl])).toEqual([]);
    expect(found([row({})], [libssl], { platform: 'ubuntu-22.04' })).toEqual([]);
    expect(found([row({ names: 'binary', name: 'openssl' })], [libssl])).toEqual([]);
    expect(found([row({ release: '1' })], [libssl])).toEqual([]);
    expect(found([row({})], [libssl], { platform: 'debian-12.15' })).toHaveLength(1);
  });

  test('a channel counts where the host is attached to it', () => {
    const esm = row({ distro: 'ubuntu', release: '18.04', channel: 'esm-infra' });
    const on = { platform: 'ubuntu-18.04' };
    expect(found([esm], [libssl], on)).toEqual([]);
    expect(found([esm], [libssl], { ...on, channels: ['esm-infra'] })).toHaveLength(1);
  });

  test('no fix, none needed, taken back, only from a version on', () => {
    const affected = row({ status: 'affected', fixed: null, note: 'end-of-life' });
    expect(found([affected], [libssl])).toEqual(['libssl3 null no-fix']);
    expect(found([row({ status: 'not-affected', fixed: null })], [libssl])).toEqual([]);
    expect(found([row({})], [libssl], {}, { withdrawn: true })).toEqual([]);
    expect(found([row({ introduced: '3.0.16-1' })], [libssl])).toEqual([]);
    expect(found([row({ introduced: '3.0.15-1~' })], [libssl])).toHaveLength(1);
  });

  test('up to a version, or just some of them', () => {
    const open = { status: 'affected', fixed: null } as const;
    expect(found([row({ ...open, lastAffected: '3.0.15-1~deb12u1' })], [libssl])).toHaveLength(1);
    expect(found([row({ ...open, lastAffected: '3.0.15-1~' })], [libssl])).toEqual([]);
    expect(found([row({ ...open, versions: ['1', '0:3.0.15-1~deb12u1'] })], [libssl])).toEqual([
      'libssl3 null no-fix',
    ]);
    expect(found([row({ ...open, versions: ['1', '4'] })], [libssl])).toEqual([]);
  });

  test('of several spans the one that the installed version is in', () => {
    const spans = [
      row({ fixed: '2.0' }),
      row({ introduced: '3.0', fixed: '3.1' }),
      row({ introduced: '4.0', fixed: null, status: 'affected' }),
    ];
    const state = (version: string): string[] => found(spans, [deb('openssl', version)]);
    expect(state('1.0')).toEqual(['openssl 2.0 pending']);
    expect(state('2.5')).toEqual(['openssl 2.0 applied']);
    expect(state('3.0')).toEqual(['openssl 3.1 pending']);
    expect(state('3.2')).toEqual(['openssl 3.1 applied']);
    expect(state('4.0')).toEqual(['openssl null no-fix']);
  });

  test('a fix by another name of a package: then it is not without one', () => {
    const open = row({ status: 'affected', fixed: null });
    const fixed = row({ names: 'binary', name: 'libssl3' });
    for (const rows of [
      [open, fixed],
      [fixed, open],
    ])
      expect(found(rows, [libssl, deb('openssl', '1')])).toEqual(
        expect.arrayContaining(['libssl3 3.0.17-1~deb12u2 pending', 'openssl null no-fix']),
      );
    expect(found([open, fixed], [libssl])).toHaveLength(1);
  });

  test('what is said of a package by its own name counts more than what is said of its source', () => {
    const spared = { status: 'not-affected', fixed: null } as const;
    const binary = { names: 'binary', name: 'libssl3' } as const;
    expect(found([row({}), row({ ...spared, ...binary })], [libssl])).toEqual([]);
    expect(found([row(spared), row(binary)], [libssl])).toHaveLength(1);
  });

  test('it is said how it came to that', () => {
    const why = (status: Partial<AffectedRow>, more: Partial<InventoryPackage> = {}): string =>
      matchAdvisory(
        advisory([row(status)]),
        indexInventory({ platform: 'debian-12', packages: [{ ...libssl, ...more }] }),
      )[0]?.why ?? '';
    expect(why({})).toBe('3.0.15-1~deb12u1 (of source openssl) is older than 3.0.17-1~deb12u2');
    expect(why({}, { held: true })).toContain('it is held');
    expect(why({ status: 'affected', fixed: null, note: 'end-of-life' })).toContain(
      'no fix: end-of-life',
    );
    expect(why({ fixed: '3.0' })).toContain('has the fix of 3.0');
  });
});

describe('on rpm', () => {
  const bind = deb('bind', '32:9.16.23-1.el9_0.1', { arch: 'x86_64' });
  const fix = rpmRow({ name: 'bind', fixed: '32:9.16.23-18.el9_4.1' });

  test('by the binary package, epoch and architecture', () => {
    expect(found([fix], [bind], alma)).toEqual(['bind 32:9.16.23-18.el9_4.1 pending']);
    expect(found([{ ...fix, arch: 'aarch64' }], [bind], alma)).toEqual([]);
    expect(found([{ ...fix, arch: 'noarch' }], [bind], alma)).toHaveLength(1);
    expect(found([{ ...fix, fixed: '9.99-1' }], [bind], alma)).toEqual(['bind 9.99-1 applied']);
  });

  test('by the source, whose epoch the name of its file does not tell', () => {
    const perl = (name: string, version: string, more: Partial<InventoryPackage> = {}) =>
      deb(name, version, { source: 'perl', sourceVersion: '5.32.1-481.el9', ...more });
    const source = (fixed: string) => rpmRow({ names: 'source', name: 'perl', fixed });
    const state = (one: InventoryPackage, fixed: string): string =>
      found([source(fixed)], [one], alma).join();
    const [fix, next] = ['4:5.32.1-481.el9', '4:5.32.1-482.el9'];
    expect(state(perl('perl-Errno', '1.30-481.el9'), fix)).toContain('applied');
    expect(state(perl('perl-Errno', '1.30-481.el9'), next)).toContain('pending');
    // Of the same version it has the same epoch.
    expect(state(perl('perl-libs', '4:5.32.1-481.el9'), fix)).toContain('applied');
    expect(state(perl('perl-libs', '4:5.32.1-481.el9'), '5:5.30-1.el9')).toContain('pending');
    expect(state(perl('perl', '5.32.1-481.el9'), fix)).toContain('pending');
    // And where it is told, it counts.
    const told = { sourceVersion: '3:5.32.1-481.el9' };
    expect(state(perl('perl-Errno', '1.30-481.el9', told), fix)).toContain('pending');
  });

  test('named by its own name and by that of its source, it is one finding: of its own', () => {
    const dbi = deb('perl-Errno', '1.30-480.el9', {
      source: 'perl',
      sourceVersion: '5.32.1-480.el9',
    });
    const rows = [
      rpmRow({ names: 'source', name: 'perl', fixed: '4:5.32.1-481.el9' }),
      rpmRow({ name: 'perl-Errno', fixed: '1.30-481.el9' }),
    ];
    expect(found(rows, [dbi], alma)).toEqual(['perl-Errno 1.30-481.el9 pending']);
    const open = rows.map((one) => ({ ...one, status: 'affected' as const, fixed: null }));
    expect(found(open, [dbi], alma)).toEqual(['perl-Errno null no-fix']);
  });

  test('a package of another system that shares the name has no release, and is none', () => {
    expect(
      found([rpmRow({ name: 'rpm', fixed: '4.16-1.el9' })], [deb('rpm', '4.14.3')], alma),
    ).toEqual([]);
  });

  test('of versions side by side the newest counts', () => {
    const kernels = ['5.14.0-362.el9', '5.14.0-427.el9'].map((version) =>
      deb('kernel-core', version),
    );
    expect(
      found([rpmRow({ name: 'kernel-core', fixed: '5.14.0-400.el9' })], kernels, alma),
    ).toEqual(['kernel-core 5.14.0-400.el9 applied']);
  });

  test('a minor release is another product', () => {
    const eus = rpmRow({
      distro: 'rhel',
      release: '9.2',
      channel: 'eus',
      name: 'bind',
      fixed: '32:9.99-1.el9_2',
    });
    expect(found([eus], [bind], { platform: 'rhel-9.4', channels: ['eus'] })).toEqual([]);
    expect(found([eus], [bind], { platform: 'rhel-9.2', channels: ['eus'] })).toHaveLength(1);
    expect(found([eus], [bind], { platform: 'rhel-9.2' })).toEqual([]);
  });

  describe('modules', () => {
    const stream = (version: string, module: string | null = null) =>
      rpmRow({ release: '8', name: 'nodejs', module, fixed: `${version}.module_el8.6.0+1+abc` });
    const node = (version: string, module?: string) =>
      deb('nodejs', `${version}-1.module_el8.5.0+1+abc`, module === undefined ? {} : { module });
    const on = { platform: 'almalinux-8' };

    test.each<[string, AffectedRow[], InventoryPackage, string[]]>([
      [
        'the same stream',
        [stream('18.2.0-1', 'nodejs:18')],
        node('18.1.0', 'nodejs:18:8080:abc'),
        ['nodejs 18.2.0-1.module_el8.6.0+1+abc pending'],
      ],
      [
        'another stream',
        [stream('20.2.0-1', 'nodejs:20')],
        node('18.1.0', 'nodejs:18:8080:abc'),
        [],
      ],
      [
        'streams that nobody names, told by the version',
        [stream('16.9.0-1'), stream('18.2.0-1')],
        node('18.1.0'),
        ['nodejs 18.2.0-1.module_el8.6.0+1+abc pending'],
      ],
      ['none of the streams', [stream('16.9.0-1'), stream('20.2.0-1')], node('18.1.0'), []],
      ['a package that is of no module', [stream('18.2.0-1')], deb('nodejs', '18.1.0-1.el8'), []],
      [
        'an advisory of no module',
        [rpmRow({ release: '8', name: 'nodejs', fixed: '18.9-1.el8' })],
        node('18.1.0'),
        [],
      ],
    ])('%s', (_, rows, installed, expected) => {
      expect(found(rows, [installed], on)).toEqual(expected);
    });

    test('streams of a source that nobody names, told by the version of the source', () => {
      const npm = deb('npm', '1:9.8.1-1.18.1.0.1.module_el8.5.0+1+abc', {
        ...{ source: 'nodejs', sourceVersion: '18.1.0-1.module_el8.5.0+1+abc' },
      });
      const rows = ['16.9.0-1', '18.2.0-1'].map((one) => ({
        ...stream(one),
        names: 'source' as const,
      }));
      expect(found(rows, [npm], on)).toEqual(['npm 18.2.0-1.module_el8.6.0+1+abc pending']);
    });

    test('a stream that rolls over its versions', () => {
      const podman = (version: string) =>
        rpmRow({ release: '8', name: 'podman', fixed: `${version}.module_el8.10.0+1+abc` });
      const installed = deb('podman', '3:4.9.4-1.module_el8.9.0+1+abc', {
        module: 'container-tools:rhel8',
      });
      expect(found([podman('4:5.1.0-1')], [installed], on)).toHaveLength(1);
    });
  });

  test('of rebuilds for minor releases the one of the same mark, else the newest', () => {
    const rows = ['1.0-5.el9_0.2', '1.0-9.el9_2'].map((fixed) => rpmRow({ name: 'a', fixed }));
    const state = (version: string): string[] => found(rows, [deb('a', version)], alma);
    expect(state('1.0-5.el9_0.2')).toEqual(['a 1.0-5.el9_0.2 applied']);
    expect(state('1.0-5.el9_0.1')).toEqual(['a 1.0-5.el9_0.2 pending']);
    expect(state('1.0-6.el9')).toEqual(['a 1.0-9.el9_2 pending']);
  });
});

test('a platform that is none is refused', () => {
  for (const platform of ['debian', '-12', 'debian-', 'debian-sid'])
    expect(() => indexInventory({ platform, packages: [] })).toThrow(/os-release/);
});
