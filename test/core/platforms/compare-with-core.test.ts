import { describe, expect, test } from '@jest/globals';
import type { InventoryPackage } from '../../../src/core/advisories/inventory.ts';
import { compareWithCore } from '../../../src/core/platforms/compare-with-core.ts';
import { manifestNames } from '../../../src/core/platforms/manifest.ts';
import type { CorePackage } from '../../../src/core/platforms/manifest.ts';

const core: CorePackage[] = [
  { name: 'dpkg', why: 'essential' },
  { name: 'init-system-helpers', why: 'essential' },
  { name: 'libnewt', why: 'dependency', of: 'whiptail' },
  { name: 'libslang', why: 'dependency', of: 'libnewt' },
  { name: 'perl', why: 'dependency', of: 'usrmerge' },
  { name: 'usrmerge', why: 'dependency', of: 'init-system-helpers' },
  { name: 'whiptail', why: 'important' },
];

const manifestOf = (platform: string, packages = core) => ({
  ...{ platform, packages },
  made: { by: 'a test', on: '2026-11-29', from: ['nothing'] },
});

const has = (names: string, more: Partial<InventoryPackage> = {}): InventoryPackage[] =>
  names.split(' ').map((name) => ({ name, arch: 'amd64', version: '1', ...more }));

const all = core.map(({ name }) => name).join(' ');

describe('what is missing', () => {
  test.each([
    ['nothing', all, [], []],
    [
      'a priority’s, and what only it needs',
      'dpkg init-system-helpers usrmerge perl',
      ['libnewt', 'libslang', 'whiptail'],
      [],
    ],
    [
      'not what something else stands in for, nor what that would have needed',
      'dpkg init-system-helpers usr-is-merged whiptail libnewt libslang',
      [],
      ['perl', 'usrmerge'],
    ],
    [
      'with what needs them',
      'dpkg whiptail libnewt libslang',
      ['init-system-helpers', 'perl', 'usrmerge'],
      [],
    ],
    [
      'below one that is there nothing',
      'dpkg init-system-helpers usrmerge perl libnewt',
      ['whiptail'],
      ['libslang'],
    ],
  ])('%s', (_, installed, missing, notNeeded) => {
    const found = compareWithCore(manifestOf('debian-12'), { packages: has(installed) });
    expect(found.missing.map(({ name }) => name)).toEqual(missing);
    expect(found.notNeeded.map(({ name }) => name)).toEqual(notNeeded);
    expect(found.present + missing.length + notNeeded.length).toBe(core.length);
  });

  test('a dependency of a group, of which nothing says who needs it, is not', () => {
    const packages: CorePackage[] = [
      { name: 'bash', why: 'mandatory', of: 'core' },
      { name: 'glibc', why: 'dependency' },
      { name: 'kbd', why: 'default', of: 'core' },
    ];
    const found = compareWithCore(manifestOf('almalinux-9', packages), { packages: has('bash') });
    expect(found.missing.map(({ name }) => name)).toEqual(['kbd']);
    expect(found.notNeeded.map(({ name }) => name)).toEqual(['glibc']);
  });

  test('packages that need one another, and a manifest cannot say so, hang nothing up', () => {
    const circle: CorePackage[] = [
      { name: 'a', why: 'dependency', of: 'b' },
      { name: 'b', why: 'dependency', of: 'a' },
    ];
    const found = compareWithCore(manifestOf('debian-12', circle), { packages: [] });
    expect(found.missing).toEqual([]);
  });

  test('a name counts in any architecture', () => {
    const found = compareWithCore(manifestOf('debian-12'), {
      packages: has(all, { arch: 'i386' }),
    });
    expect([found.missing, found.foreign]).toEqual([[], []]);
  });
});

describe('what is beside it', () => {
  test('by origin: others’ first, the distributor’s own last; each name once', () => {
    const packages = [
      ...has(all, { repository: 'Debian' }),
      ...has('nginx curl', { repository: 'Debian' }),
      ...has('nginx', { repository: 'Debian', arch: 'i386' }),
      ...has('docker-ce', { repository: 'Docker' }),
      ...has('acme-agent', { repository: 'Acme' }),
      ...has('by-hand', { repository: null }),
      ...has('who-knows'),
    ];
    expect(compareWithCore(manifestOf('debian-12'), { packages }).foreign).toEqual([
      { origin: 'Acme', kind: 'other', packages: ['acme-agent'] },
      { origin: 'Docker', kind: 'other', packages: ['docker-ce'] },
      { origin: null, kind: 'none', packages: ['by-hand'] },
      { origin: null, kind: 'unknown', packages: ['who-knows'] },
      { origin: 'Debian', kind: 'own', packages: ['curl', 'nginx'] },
    ]);
  });

  test('of rpms by who built them, where nothing tells the repository', () => {
    const packages = [
      ...has('httpd', { vendor: 'AlmaLinux' }),
      ...has('htop', { vendor: 'Fedora Project' }),
    ];
    expect(compareWithCore(manifestOf('almalinux-9'), { packages }).foreign).toEqual([
      { origin: 'Fedora Project', kind: 'other', packages: ['htop'] },
      { origin: 'AlmaLinux', kind: 'own', packages: ['httpd'] },
    ]);
  });
});

test.each([
  ['debian-12', ['debian-12']],
  ['almalinux-9.4', ['almalinux-9.4', 'almalinux-9']],
  ['almalinux-9', ['almalinux-9']],
  ['ubuntu-22.04', ['ubuntu-22.04']],
  ['debian', ['debian']],
])('whose manifest is for %s', (platform, names) => {
  expect(manifestNames(platform)).toEqual(names);
});
