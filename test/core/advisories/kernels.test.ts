import { describe, expect, test } from '@jest/globals';
import type { InventoryPackage } from '../../../src/core/advisories/inventory.ts';
import { deb, findings, row, rpmRow } from './rows.ts';

const debian = (release: string, version: string, more: Partial<InventoryPackage> = {}) =>
  deb(`linux-image-${release}`, version, {
    ...{ source: 'linux-signed-amd64', sourceVersion: version.replace('-', '+') },
    ...more,
  });
const linux = (fixed: string) => row({ name: 'linux', fixed });

/** What is found where that kernel runs: package, installed version, state, whether a reboot is what helps. */
const running = (
  kernel: string | null,
  fixed: ReturnType<typeof row>,
  packages: InventoryPackage[],
  platform = 'debian-12',
): string[] =>
  findings([fixed], packages, { platform, kernel }).map((one) =>
    [one.package, one.installed, one.state, ...(one.reboot === true ? ['reboot'] : [])].join(' '),
  );

describe('kernels of dpkg, side by side', () => {
  const both = [debian('6.1.0-47-amd64', '6.1.170-3'), debian('6.1.0-50-amd64', '6.1.176-1')];

  test.each<[string, string | null, string, string]>([
    ['the new one runs', '6.1.0-50-amd64', '6.1.176-1', 'applied'],
    ['the old one runs', '6.1.0-47-amd64', '6.1.176-1', 'pending reboot'],
    ['the old one runs, and has the fix', '6.1.0-47-amd64', '6.1.170-1', 'applied'],
    ['neither has the fix', '6.1.0-47-amd64', '6.1.180-1', 'pending'],
    ['one that is not installed runs', '6.6.9-custom', '6.1.176-1', 'applied'],
    ['nobody knows which one runs', null, '6.1.176-1', 'applied'],
  ])('%s', (_, kernel, fixed, expected) => {
    for (const packages of [both, both.toReversed()])
      expect(running(kernel, linux(fixed), packages)).toEqual([
        `linux-image-6.1.0-50-amd64 6.1.176-1 ${expected}`,
      ]);
  });

  test('it is said what is to be done', () => {
    const [found] = findings([linux('6.1.176-1')], both, { kernel: '6.1.0-47-amd64' });
    expect(found?.why).toBe(
      '6.1.176-1 (of source linux) has the fix of 6.1.176-1, but 6.1.170-3 runs: installed, not running: reboot',
    );
  });

  test('what the one that runs never had needs no reboot', () => {
    const fixed = { ...linux('6.1.176-1'), introduced: '6.1.175-1' };
    expect(running('6.1.0-47-amd64', fixed, both)).toEqual([
      'linux-image-6.1.0-50-amd64 6.1.176-1 applied',
    ]);
  });

  test('another flavour is another kernel', () => {
    const packages = [...both, debian('6.1.0-47-cloud-amd64', '6.1.170-3')];
    expect(running('6.1.0-47-cloud-amd64', linux('6.1.176-1'), packages)).toEqual([
      'linux-image-6.1.0-50-amd64 6.1.176-1 applied',
      'linux-image-6.1.0-47-cloud-amd64 6.1.170-3 pending',
    ]);
  });

  test.each([
    ['6.12.43+deb13-amd64', '6.12.48+deb13-amd64'],
    ['6.1.0-47-686-pae', '6.1.0-50-686-pae'],
    ['5.10.0-0.bpo.9-amd64', '5.10.0-0.bpo.12-amd64'],
  ])('%s and %s are the same kernel', (old, next) => {
    const packages = [debian(old, '1-1'), debian(next, '1-2')];
    expect(running(null, linux('1-2'), packages)).toEqual([`linux-image-${next} 1-2 applied`]);
    expect(running(old, linux('1-2'), packages)).toEqual([
      `linux-image-${next} 1-2 pending reboot`,
    ]);
  });

  test.each([
    ['linux-tools-5.15.0-91', 'linux-tools-5.15.0-94', 'linux'],
    ['linux-tools-5.15.0-91-generic', 'linux-tools-5.15.0-94-generic', 'linux'],
    ['linux-cloud-tools-5.15.0-91-generic', 'linux-cloud-tools-5.15.0-94-generic', 'linux'],
    ['linux-buildinfo-5.15.0-91-generic', 'linux-buildinfo-5.15.0-94-generic', 'linux'],
    ['linux-aws-headers-5.15.0-1050', 'linux-aws-headers-5.15.0-1053', 'linux-aws'],
    ['linux-aws-tools-5.15.0-1050', 'linux-aws-tools-5.15.0-1053', 'linux-aws'],
    ['linux-hwe-6.5-headers-6.5.0-14', 'linux-hwe-6.5-headers-6.5.0-15', 'linux-hwe-6.5'],
    ['linux-kbuild-6.12.41+deb13', 'linux-kbuild-6.12.48+deb13', 'linux'],
    ['linux-headers-6.12.41+deb13-common', 'linux-headers-6.12.48+deb13-common', 'linux'],
    ['linux-image-6.16+deb14-amd64', 'linux-image-6.16.1+deb14-amd64', 'linux'],
    ['linux-support-6.1.0-47', 'linux-support-6.1.0-50', 'linux'],
    ['linux-image-6.1.0-47-amd64-unsigned', 'linux-image-6.1.0-50-amd64-unsigned', 'linux'],
    ['linux-image-6.1.0-47-amd64-unsigned', 'linux-image-6.1.0-50-amd64', 'linux'],
    ['linux-image-5.15.0-91-generic', 'linux-image-unsigned-5.15.0-94-generic', 'linux'],
  ])('%s lies beside %s', (old, next, source) => {
    const packages = [old, next].map((name, at) => deb(name, `1-${at + 1}`, { source }));
    expect(running(null, row({ name: source, fixed: '1-2' }), packages)).toEqual([
      `${next} 1-2 applied`,
    ]);
  });

  test.each([
    ['linux-image-6.12-amd64', 'linux-image-6.12.107+deb12-amd64', 'linux-6.12'],
    ['linux-headers-generic-hwe-20.04', 'linux-headers-generic-hwe-22.04', 'linux'],
    ['linux-tools-common', 'linux-tools-5.15.0-94', 'linux'],
    ['linux-headers-5.15.0-91', 'linux-headers-5.15.0-94-generic', 'linux'],
    ['linux-headers-6.1.0-47-common', 'linux-headers-6.1.0-50-common-rt', 'linux'],
    ['linux-libc-dev', 'linux-perf', 'linux'],
    ['gcc-5.15.0-91', 'gcc-5.15.0-94', 'linux'],
  ])('%s does not lie beside %s', (one, other, source) => {
    const packages = [one, other].map((name, at) => deb(name, `1-${at + 1}`, { source }));
    expect(running(null, row({ name: source, fixed: '1-2' }), packages)).toHaveLength(2);
  });

  test('a kernel that is not signed may run, by either name of it', () => {
    const name = (release: string) => `linux-image-${release}-unsigned`;
    const packages = [
      deb(name('6.1.0-47-amd64'), '6.1.170-3', { source: 'linux' }),
      deb(name('6.1.0-50-amd64'), '6.1.176-1', { source: 'linux' }),
    ];
    expect(running('6.1.0-47-amd64', linux('6.1.176-1'), packages)).toEqual([
      'linux-image-6.1.0-50-amd64-unsigned 6.1.176-1 pending reboot',
    ]);
  });

  test('kernels of another source are another series, whichever runs', () => {
    const packages = [
      debian('5.15.0-91-generic', '5.15.0-91.101', { source: 'linux-signed' }),
      debian('6.5.0-14-generic', '6.5.0-14.14', { source: 'linux-signed-hwe-6.5' }),
    ];
    const fixed = { ...linux('5.15.0-100.110'), distro: 'ubuntu', release: '22.04' };
    for (const kernel of ['5.15.0-91-generic', '6.5.0-14-generic', null])
      expect(running(kernel, fixed, packages, 'ubuntu-22.04')).toEqual([
        'linux-image-5.15.0-91-generic 5.15.0-91.101 pending',
      ]);
  });
});

describe('kernels of rpm, side by side', () => {
  const kernels = (name: string, ...versions: string[]) =>
    versions.map((version) => deb(name, version, { arch: 'x86_64' }));
  const el9 = 'almalinux-9.4';

  test.each<[string, string, string[], string]>([
    ['kernel-core', '5.14.0-362.el9.x86_64', ['5.14.0-362.el9', '5.14.0-427.el9'], 'reboot'],
    ['kernel-core', '5.14.0-427.el9.x86_64', ['5.14.0-362.el9', '5.14.0-427.el9'], ''],
    ['kernel-core', '5.14.0-362.el9.x86_64+rt', ['5.14.0-362.el9', '5.14.0-427.el9'], ''],
    ['kernel-rt-core', '5.14.0-362.el9.x86_64+rt', ['5.14.0-362.el9', '5.14.0-427.el9'], 'reboot'],
    ['kernel-rt-core', '5.14.0-362.el9.x86_64', ['5.14.0-362.el9', '5.14.0-427.el9'], ''],
    [
      'kernel-rt-core',
      '5.14.0-284.rt14.el9_2.x86_64',
      ['5.14.0-284.rt14.el9_2', '5.14.0-427.rt14.el9_2'],
      'reboot',
    ],
    ['kernel-uek', '5.15.0-1.el9uek.x86_64', ['5.15.0-1.el9uek', '5.15.0-2.el9uek'], 'reboot'],
    [
      'kernel6.12',
      '6.12.1-1.amzn2023.x86_64',
      ['6.12.1-1.amzn2023', '6.12.3-1.amzn2023'],
      'reboot',
    ],
    ['kernel-64k-core', '5.14.0-1.el9.x86_64+64k', ['5.14.0-1.el9', '5.14.0-2.el9'], 'reboot'],
    [
      'kernel-rt-64k-core',
      '5.14.0-1.el9.x86_64+rt-64k',
      ['5.14.0-1.el9', '5.14.0-2.el9'],
      'reboot',
    ],
    ['kernel-rt-64k-core', '5.14.0-1.el9.x86_64+rt', ['5.14.0-1.el9', '5.14.0-2.el9'], ''],
    ['kernel-uek-core', '5.15.0-1.el9uek.x86_64', ['5.15.0-1.el9uek', '5.15.0-2.el9uek'], 'reboot'],
    ['kernel-devel', '5.14.0-362.el9.x86_64', ['5.14.0-362.el9', '5.14.0-427.el9'], ''],
  ])('%s, %s runs', (name, kernel, versions, expected) => {
    const [, next = ''] = versions;
    const state = expected === 'reboot' ? 'pending reboot' : 'applied';
    expect(running(kernel, rpmRow({ name, fixed: next }), kernels(name, ...versions), el9)).toEqual(
      [`${name} ${next} ${state}`],
    );
  });
});
