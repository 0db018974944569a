import { describe, expect, test } from '@jest/globals';
import type { AffectedRow } from '../../../src/core/advisories/advisory.ts';
import type { InventoryPackage } from '../../../src/core/advisories/inventory.ts';
import { deb, found, row, rpmRow } from './rows.ts';

describe('product streams', () => {
  const main = rpmRow({ distro: 'rhel', name: 'curl', fixed: '7.76.1-26.el9_3.2' });
  const eus: AffectedRow = { ...main, release: '9.2', channel: 'eus', fixed: '7.76.1-23.el9_2.4' };
  const on = (release: string, ...channels: string[]) => ({
    platform: `rhel-${release}`,
    channels,
  });

  test.each<[string, string, ReturnType<typeof on>, string[]]>([
    ['a host of the stream', '7.76.1-19.el9', on('9.2', 'eus'), ['curl 7.76.1-23.el9_2.4 pending']],
    [
      'a host of the stream with the fix',
      '7.76.1-23.el9_2.4',
      on('9.2', 'eus'),
      ['curl 7.76.1-23.el9_2.4 applied'],
    ],
    [
      'a host of that minor release, without the stream',
      '7.76.1-23.el9_2.2',
      on('9.2'),
      ['curl 7.76.1-26.el9_3.2 pending'],
    ],
    [
      'a host of the stream of another minor release',
      '7.76.1-26.el9_3.1',
      on('9.4', 'eus'),
      ['curl 7.76.1-26.el9_3.2 pending'],
    ],
  ])('%s', (_, version, host, expected) => {
    expect(found([main, eus], [deb('curl', version)], host)).toEqual(expected);
    expect(found([eus, main], [deb('curl', version)], host)).toEqual(expected);
  });

  test('what the stream has no fix for is without one', () => {
    const affected: AffectedRow = { ...eus, status: 'affected', fixed: null };
    expect(found([main, affected], [deb('curl', '7.76.1-19.el9')], on('9.2', 'eus'))).toEqual([
      'curl null no-fix',
    ]);
  });

  test('what the release is not affected by, the stream may be', () => {
    const none: AffectedRow = { ...main, status: 'not-affected', fixed: null };
    expect(found([none, eus], [deb('curl', '7.76.1-19.el9')], on('9.2', 'eus'))).toHaveLength(1);
    expect(found([none, eus], [deb('curl', '7.76.1-19.el9')], on('9.2'))).toEqual([]);
  });
});

describe('channels', () => {
  const libssl = deb('libssl1.1', '1.1.1-1ubuntu2', { source: 'openssl' });
  const fixed = (channel: string | null) =>
    row({ distro: 'ubuntu', release: '18.04', channel, fixed: '1.1.1-1ubuntu2.23+esm1' });

  test.each<[string | null, string[], number]>([
    [null, [], 1],
    ['esm-infra', [], 0],
    ['esm-infra', ['esm-infra'], 1],
    ['esm-apps', ['esm-infra'], 0],
    ['esm-infra-legacy', ['esm-infra'], 0],
    ['fips-updates', ['esm-infra', 'fips-updates'], 1],
    ['pro', [], 0],
    ['pro', ['esm-apps'], 1],
    ['esm-infra', ['pro'], 1],
    ['esm-apps', ['pro'], 1],
    ['esm-infra-legacy', ['pro'], 0],
    ['fips-updates', ['pro'], 0],
    ['livepatch', ['esm-infra'], 0],
  ])('a fix through %s, for a host with %j', (channel, channels, count) => {
    expect(found([fixed(channel)], [libssl], { platform: 'ubuntu-18.04', channels })).toHaveLength(
      count,
    );
  });

  test('a host with the channel has the fix that others lack', () => {
    const rows = [{ ...fixed(null), status: 'affected' as const, fixed: null }, fixed('esm-infra')];
    const on = { platform: 'ubuntu-18.04' };
    expect(found(rows, [libssl], on)).toEqual(['libssl1.1 null no-fix']);
    expect(found(rows, [libssl], { ...on, channels: ['esm-infra'] })).toEqual([
      'libssl1.1 1.1.1-1ubuntu2.23+esm1 pending',
    ]);
  });
});

describe("Oracle's builds", () => {
  const plain = rpmRow({ distro: 'ol', release: '7', name: 'glibc', fixed: '2.17-326.el7_9' });
  const ksplice: AffectedRow = {
    ...plain,
    ...{ channel: 'ksplice', fixed: '2:2.17-326.ksplice1.el7_9' },
  };
  test.each<[string, string[], string[]]>([
    ['2.17-317.el7', [], ['glibc 2.17-326.el7_9 pending']],
    ['2:2.17-317.ksplice1.el7', [], ['glibc 2:2.17-326.ksplice1.el7_9 pending']],
    ['2:2.17-317.ksplice1.el7', ['ksplice'], ['glibc 2:2.17-326.ksplice1.el7_9 pending']],
    ['2.17-317.el7', ['ksplice'], ['glibc 2:2.17-326.ksplice1.el7_9 pending']],
    ['10:3.6.16-1.el8_fips', [], []],
  ])('%s on a host with %j', (version, channels, expected) => {
    expect(
      found([plain, ksplice], [deb('glibc', version)], { platform: 'ol-7.9', channels }),
    ).toEqual(expected);
  });
});

describe('releases', () => {
  test.each(['1', '1.2', '2011.09', '2017.09', '2018.03'])(
    'the first Amazon Linux was one release: %s',
    (release) => {
      const fixed = rpmRow({ distro: 'amzn', release: '2018.03', name: 'a', fixed: '1-2.amzn1' });
      const on = { platform: `amzn-${release}` };
      expect(found([fixed], [deb('a', '1-1.amzn1')], on)).toHaveLength(1);
    },
  );

  test.each(['2', '2023', '2023.3.20240304'])('and not that of %s', (release) => {
    const fixed = rpmRow({ distro: 'amzn', release: '2018.03', name: 'a', fixed: '1-2.amzn1' });
    expect(found([fixed], [deb('a', '1-1')], { platform: `amzn-${release}` })).toEqual([]);
  });
});

describe('module streams that an advisory does not name', () => {
  const php = (name: string, version: string) =>
    rpmRow({ release: '8', name, fixed: `${version}.module_el8.6.0+1+abc` });
  const installed = (name: string, version: string, module: string) =>
    deb(name, `${version}.module_el8.5.0+1+abc`, { module });
  const of74 = [
    php('php', '7.4.19-4'),
    php('php-common', '7.4.19-4'),
    php('php-pecl-zip', '1.18-1'),
  ];

  test.each<[string, string, string, number]>([
    ['php-common', '7.4.6-4', 'php:7.4', 1],
    ['php-common', '7.3.20-1', 'php:7.3', 0],
    ['php-pecl-zip', '1.18-0', 'php:7.4', 1],
    ['php-pecl-zip', '1.15-1', 'php:7.3', 0],
    ['php-common', '7.4.6-4', 'php:remi', 1],
  ])('%s %s of %s', (name, version, module, count) => {
    expect(
      found(of74, [installed(name, version, module)], { platform: 'almalinux-8' }),
    ).toHaveLength(count);
  });

  test('one that names its stream is believed', () => {
    const named = of74.map((each) => ({ ...each, module: 'php:7.3' }));
    expect(
      found(named, [installed('php-common', '7.3.20-1', 'php:7.3')], { platform: 'almalinux-8' }),
    ).toHaveLength(1);
  });

  const built = (name: string, version: string, module: string | null = null) =>
    rpmRow({ release: '8', name, module, fixed: `${version}.module_el8.6.0+1+abc` });
  const has = (name: string, version: string, more: Partial<InventoryPackage> = {}) =>
    deb(name, `${version}.module_el8.5.0+1+abc`, more);
  const on = { platform: 'almalinux-8' };

  test.each([
    ['php', '8.1.27-1', '8.2.28-1', 0],
    ['php', '8.1.27-1', '8.1.28-1', 1],
    ['php-common', '8.1.27-1', '8.2.28-1', 0],
    ['mariadb', '3:10.3.28-1', '3:10.5.9-1', 0],
    ['mariadb-server', '3:10.3.28-1', '3:10.3.35-1', 1],
    ['ruby', '2.5.9-1', '2.7.6-1', 0],
    ['perl', '4:5.26.3-1', '4:5.30.1-1', 0],
    ['nginx', '1:1.14.1-1', '1:1.16.1-1', 0],
    ['nodejs', '1:18.1.0-1', '1:18.18.0-1', 1],
    ['redis', '6.0.9-1', '6.2.7-1', 1],
    ['postgresql', '13.7-1', '13.11-1', 1],
    ['postgresql', '12.7-1', '13.11-1', 0],
    ['go-toolset', '1.19.1-1', '1.21.3-1', 1],
  ])('%s %s that does not say its stream, and a fix of %s', (name, version, fixed, count) => {
    expect(found([built(name, fixed)], [has(name, version)], on)).toHaveLength(count);
  });

  test.each<[string, InventoryPackage[], AffectedRow[], string[]]>([
    [
      'of another stream, by the package that is called like the module',
      [has('php', '8.1.27-1'), has('php-pecl-zip', '1.20.1-1')],
      [built('php', '8.2.28-1'), built('php-pecl-zip', '1.22.3-1')],
      [],
    ],
    [
      'of the same stream, whatever versions of their own they have',
      [has('nodejs', '1:18.1.0-1'), has('npm', '1:8.19.1-1.18.1.0.1')],
      [built('nodejs', '1:18.18.0-1'), built('npm', '1:9.8.1-1.18.18.0.1')],
      ['nodejs', 'npm'],
    ],
    [
      'of a stream that the advisory names, and they do not',
      [has('nodejs', '1:18.1.0-1'), has('nodejs-nodemon', '3.0.1-1')],
      [built('nodejs', '1:20.9.0-1', 'nodejs:20'), built('nodejs-nodemon', '3.0.1-2', 'nodejs:20')],
      [],
    ],
    [
      'of the stream that the advisory names',
      [has('nodejs', '1:18.1.0-1'), has('nodejs-nodemon', '3.0.1-1')],
      [built('nodejs', '1:18.9.0-1', 'nodejs:18'), built('nodejs-nodemon', '3.0.1-2', 'nodejs:18')],
      ['nodejs', 'nodejs-nodemon'],
    ],
    [
      'by the source where that is told',
      [
        has('php-common', '8.1.27-1', { source: 'php' }),
        has('libzip', '1.6.1-1', { source: 'libzip' }),
        has('apcu-panel', '5.1.1-1', { source: 'php-pecl-apcu' }),
      ],
      [built('php', '8.2.28-1'), built('php-common', '8.2.28-1')],
      [],
    ],
    [
      'of a module of its own that is called like another one begins',
      [has('perl', '4:5.30.1-1'), has('perl-DBI', '1.641-1')],
      [built('perl-DBI', '1.641-2', 'perl-DBI:1.641')],
      ['perl-DBI'],
    ],
    [
      'whose label is known: what has the version of the stream keeps it',
      [has('podman', '2:4.0.2-1', { module: 'container-tools:4.0' })],
      [built('podman', '2:4.6.1-1')],
      [],
    ],
    [
      'whose label is known: the one that the stream is called by tells it of the others',
      [has('buildah', '1:1.24.2-1', { module: 'container-tools:4.0' })],
      [built('podman', '2:4.6.1-1'), built('buildah', '1:1.31.3-1')],
      [],
    ],
    [
      'whose label is known: versions of their own in the same stream',
      [has('npm', '1:8.19.1-1.18.1.0.1', { module: 'nodejs:18' })],
      [built('nodejs', '1:18.18.0-1'), built('npm', '1:9.8.1-1.18.18.0.1')],
      ['npm'],
    ],
    [
      'whose stream is a number that the versions left',
      [has('pki-server', '10.9.4-1', { module: 'pki-core:10.6' })],
      [built('pki-core', '10.15.0-1'), built('pki-server', '10.15.0-1')],
      ['pki-server'],
    ],
  ])('packages %s', (_, packages, rows, expected) => {
    expect(found(rows, packages, on).map((line) => line.split(' ')[0])).toEqual(expected);
  });
});

describe('modules, where it is said what is affected and what is not', () => {
  const php = (module: string | null, status: AffectedRow['status']): AffectedRow => ({
    ...rpmRow({ distro: 'rhel', release: '8', name: 'php', module, status, fixed: null }),
    ...(status === 'fixed' ? { fixed: '8.0.30-1.module+el8.8.0+1+abc' } : {}),
  });
  const modular = (version: string, module: string | null) =>
    deb('php', `${version}-1.module+el8.5.0+1+abc`, { module });
  const plain = deb('php', '7.2.24-1.el8');
  const on = { platform: 'rhel-8' };

  test.each<[string, AffectedRow[], InventoryPackage, string[]]>([
    ['affected', [php('php:7.4', 'affected')], modular('7.4.1', 'php:7.4'), ['no-fix']],
    ['another stream', [php('php:7.4', 'affected')], modular('8.0.1', 'php:8.0'), []],
    ['told by its version', [php('php:7.4', 'affected')], modular('8.0.1', null), []],
    ['told by its version', [php('php:7.4', 'affected')], modular('7.4.1', null), ['no-fix']],
    ['of none', [php('php:7.4', 'affected')], plain, []],
    [
      'one affected and one fixed',
      [php('php:7.4', 'affected'), php('php:8.0', 'fixed')],
      modular('8.0.1', 'php:8.0'),
      ['pending'],
    ],
    [
      'the one of none affected',
      [php(null, 'affected'), php('php:8.0', 'not-affected')],
      modular('8.0.1', 'php:8.0'),
      [],
    ],
    [
      'the one of none affected, and another one not',
      [php(null, 'affected'), php('php:7.4', 'not-affected')],
      modular('8.0.1', 'php:8.0'),
      [],
    ],
    [
      'the one of none not affected, and this one fixed',
      [php(null, 'not-affected'), php('php:8.0', 'fixed')],
      modular('8.0.1', 'php:8.0'),
      ['pending'],
    ],
    ['just the one of none affected', [php(null, 'affected')], modular('8.0.1', null), ['no-fix']],
  ])('%s', (_, rows, installed, expected) => {
    expect(found(rows, [installed], on).map((line) => line.split(' ').at(-1))).toEqual(expected);
  });
});
