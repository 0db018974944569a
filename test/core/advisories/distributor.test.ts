import { describe, expect, test } from '@jest/globals';
import type { InventoryPackage } from '../../../src/core/advisories/inventory.ts';
import { deb, found, row, rpmRow } from './rows.ts';

type Told = Pick<InventoryPackage, 'repository' | 'vendor'>;

describe('packages of the same name that are not the distributor’s', () => {
  const fixed = rpmRow({ name: 'nginx', fixed: '1:1.26-1.el9' });
  const isMeant = (told: Told, version = '1:1.20-1.el9', platform = 'almalinux-9'): boolean =>
    found([{ ...fixed, distro: platform.split('-')[0] ?? '' }], [deb('nginx', version, told)], {
      platform,
    }).length > 0;

  test.each<[string, Told, boolean]>([
    ['nothing is known', {}, true],
    ['nothing is told', { repository: null, vendor: null }, true],
    ['its repository', { repository: 'appstream' }, true],
    ['its repository, as dnf 4 writes it', { repository: '@baseos' }, true],
    ['a mirror under a name of its own', { repository: 'acme-mirror' }, true],
    ["somebody else's repository", { repository: 'nginx-stable' }, false],
    ["somebody else's, as dnf 4 writes it", { repository: '@docker-ce-stable' }, false],
    ['EPEL', { repository: 'epel' }, false],
    ['its vendor', { vendor: 'AlmaLinux' }, true],
    ['the vendor of what it was moved from', { vendor: 'CentOS' }, true],
    ["somebody else's build", { vendor: 'NodeSource' }, false],
    ["EPEL's build", { vendor: 'Fedora Project' }, false],
    ['a mirror, and its vendor', { repository: 'acme-mirror', vendor: 'AlmaLinux' }, true],
    ["a mirror, and somebody else's build", { repository: 'acme-mirror', vendor: 'Acme' }, false],
  ])('told by %s', (_, told, expected) => {
    expect(isMeant(told)).toBe(expected);
  });

  test.each([
    ['rocky-9', 'Rocky Enterprise Software Foundation'],
    ['rhel-9', 'Red Hat, Inc.'],
    ['ol-9', 'Oracle America'],
    ['amzn-9', 'Amazon Linux'],
    ['fedora-9', 'Fedora Project'],
  ])('%s has its own vendor', (platform, vendor) => {
    expect(isMeant({ vendor }, undefined, platform)).toBe(true);
    expect(isMeant({ vendor: 'Acme' }, undefined, platform)).toBe(false);
  });

  test.each(['1:1.20-1.el9.remi', '1:1.20-1.el9.elrepo'])('told by its version: %s', (version) => {
    expect(isMeant({}, version)).toBe(false);
  });

  test('EPEL’s advisories are for what is of EPEL, or may be', () => {
    const epel = rpmRow({ name: 'nginx', fixed: '1:1.26-1.el9', channel: 'epel' });
    const on = { platform: 'almalinux-9', channels: ['epel'] };
    const states = [{}, { repository: 'epel' }, { repository: 'appstream' }].map(
      (told) => found([epel], [deb('nginx', '1:1.20-1.el9', told)], on).length,
    );
    expect(states).toEqual([1, 1, 0]);
  });

  test.each<[string, Told, number]>([
    ['almalinux-9', { vendor: 'Fedora Project' }, 1],
    ['rhel-9', { vendor: 'Fedora Project' }, 1],
    ['almalinux-9', { repository: 'epel-testing' }, 1],
    ['almalinux-9', { vendor: 'AlmaLinux' }, 0],
    ['almalinux-9', {}, 0],
    ['amzn-2', { vendor: 'Fedora Project' }, 0],
  ])('a host of %s with a package of EPEL gets EPEL’s advisories: %j', (platform, told, count) => {
    const [distro = '', release = ''] = platform.split('-');
    const epel = rpmRow({ distro, release, name: 'chromium', fixed: '101-1', channel: 'epel' });
    expect(found([epel], [deb('chromium', '100-1', told)], { platform })).toHaveLength(count);
  });

  test.each<[string, Told, boolean]>([
    ['3.0.15-1~deb12u1', { repository: 'Debian' }, true],
    ['3.0.15-1~deb12u1', { repository: 'aptly' }, true],
    ['3.0.15-1', { repository: 'LP-PPA-ondrej-php' }, false],
    ['3.0.15-1', { repository: 'Docker' }, false],
    ['3.0.15-1.pgdg120+1', {}, false],
    ['3.0.15-1nodesource1', {}, false],
    ['3.0.15-1+0~20240101.1+debian12~1.gbp1+deb.sury.org', {}, false],
    ['3.0.15-1~ppa2', {}, false],
  ])('of dpkg: %s of %j', (version, told, expected) => {
    expect(found([row({})], [deb('openssl', version, told)])).toHaveLength(expected ? 1 : 0);
  });

  test.each<[string, Told, string, string | null, boolean]>([
    ['of others', { repository: 'Acme' }, '3.0.15-1', 'Debian', false],
    ['of a flat repository', { repository: 'flat.example' }, '3.0.15-1', 'Debian', false],
    ['of the distribution', { repository: 'Debian' }, '3.0.15-1', 'Debian', true],
    ['of its backports', { repository: 'Debian Backports' }, '3.0.15-1', 'Debian', true],
    ['that nobody offers any more', { repository: null }, '3.0.15-1', 'Debian', true],
    ['of which nothing is told', {}, '3.0.15-1', 'Debian', true],
    ['of a mirror that has the base, too', { repository: 'aptly' }, '3.0.15-1', 'aptly', true],
    [
      'of others, on a host of which nothing else is told',
      { repository: 'Acme' },
      '3-1',
      null,
      true,
    ],
    ['of the distribution’s build', { repository: 'Acme' }, '3.0.15-1~deb12u1', 'Debian', true],
    ['of its stable update', { repository: 'Acme' }, '3.0.15-1+deb12u3', 'Debian', true],
  ])('a package %s: %j %s beside a base of %s', (_, told, version, base, expected) => {
    const packages = [
      deb('openssl', version, told),
      deb('base-files', '12.4+deb12u11', { repository: base }),
      deb('dpkg', '1.21.22', { repository: base }),
    ];
    expect(found([row({})], packages)).toHaveLength(expected ? 1 : 0);
  });

  test('a base of which one part comes from elsewhere says nothing of others', () => {
    const packages = [
      deb('openssl', '3.0.15-1', { repository: 'Acme' }),
      deb('base-files', '12.4+deb12u11', { repository: 'Debian' }),
      deb('libc6', '2.36-9+deb12u9', { repository: 'acme-security' }),
    ];
    expect(found([row({})], packages)).toHaveLength(1);
  });
});
