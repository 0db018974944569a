import { expect, test } from '@jest/globals';
import { channelsOf } from '../../../src/core/advisories/channels-of.ts';
import { deb, found, rpmRow } from './rows.ts';

test.each([
  ['rhel-9-for-x86_64-appstream-eus-rpms', 'eus'],
  ['rhel-8-for-x86_64-baseos-e4s-rpms', 'e4s'],
  ['rhel-7-server-els-rpms', 'els'],
  ['rhel-7-server-extras-rpms', 'extras'],
  ['extras', ''],
  ['openstack-17.1-for-rhel-9-x86_64-rpms', 'openstack-17.1'],
  ['rhel-9-for-x86_64-baseos-rpms', ''],
  ['epel-next', 'epel'],
  ['amzn2-core', ''],
  ['amzn2extra-docker', 'extras-docker'],
  ['amzn2extra-kernel-5.10', 'extras-kernel-5.10'],
  ['amzn2extra-docker-source', 'extras-docker'],
  ['amazonlinux', ''],
  ['kernel-livepatch', 'kernel-livepatch'],
  ['amazonlinux-nvidia', 'nvidia'],
  ['ol8_x86_64_userspace_ksplice', 'ksplice'],
  ['ol8_baseos_latest', ''],
  ['updates-testing', 'updates-testing'],
  ['updates', ''],
])('%s: %s', (id, channel) => {
  expect(channelsOf([id]).join()).toBe(channel);
});

test('a package that came from such a repository tells it too', () => {
  const docker = rpmRow({
    ...{ distro: 'amzn', release: '2', channel: 'extras-docker', name: 'docker' },
    fixed: '20.10.25-1.amzn2.0.2',
  });
  const installed = (repository: string) =>
    deb('docker', '20.10.23-1.amzn2.0.1', { arch: 'x86_64', repository });
  const on = { platform: 'amzn-2' };
  expect(found([docker], [installed('amzn2extra-docker')], on)).toHaveLength(1);
  expect(found([docker], [installed('amzn2-core')], on)).toEqual([]);
});

test('a host of a product stream is one of a minor release, which its packages tell', () => {
  const eus = rpmRow({
    ...{ distro: 'rhel', release: '9.2', channel: 'eus', name: 'bind' },
    fixed: '32:9.16.23-11.el9_2.5',
  });
  const main = rpmRow({ distro: 'rhel', name: 'bind', fixed: '32:9.16.23-18.el9_4.1' });
  const bind = deb('bind', '32:9.16.23-11.el9', { arch: 'x86_64' });
  const release = deb('redhat-release', '9.2-0.13.el9');
  const built = [deb('a', '1-1.el9_1'), deb('b', '1-1.el9_2.3'), deb('c', '1-1.el8_9')];
  const fixes = (packages: (typeof bind)[], channels: string[]): string =>
    found([eus, main], [bind, ...packages], { platform: 'rhel-9', channels }).join();
  expect(fixes([release], ['eus'])).toContain('el9_2.5 pending');
  expect(fixes([deb('zz', '1-1.el9_5'), release], ['eus'])).toContain('el9_2.5 pending');
  expect(fixes(built, ['eus'])).toContain('el9_2.5 pending');
  expect(fixes([], ['eus'])).toContain('el9_4.1 pending');
  expect(fixes([release], [])).toContain('el9_4.1 pending');
});
