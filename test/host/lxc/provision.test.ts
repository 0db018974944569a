import { describe, expect, test } from '@jest/globals';
import { fc, test as property } from '@fast-check/jest';
import { execa } from 'execa';
import { interpretConfig } from '../../../src/host/lxc/interpret-config.ts';
import { parseConfig } from '../../../src/host/lxc/parse-config.ts';
import { leasedAddresses } from '../../../src/host/lxc/provision/bridge-network.ts';
import { cloneNames } from '../../../src/host/lxc/provision/clone-names.ts';
import {
  addressedDevice,
  cloneConfig,
  confinementOf,
  containerConfig,
  deviceLink,
} from '../../../src/host/lxc/provision/container-config.ts';
import type { NewContainer } from '../../../src/host/lxc/provision/container-config.ts';
import { pathAndParents } from '../../../src/host/lxc/provision/find-unhidden.ts';
import { lowerLayerUnit } from '../../../src/host/lxc/provision/lower-layer.ts';
import { opaqueArchive } from '../../../src/host/lxc/provision/opaque-directories.ts';

const network = { base: 0x0a000300, prefixLength: 24 };
const wanted: NewContainer = {
  name: 'web-01',
  lower: '/var/lib/lxc/host/rootfs',
  upper: '/var/lib/lxc/web-01/delta0',
  service: 'web',
  init: '/usr/bin/tini -- /usr/sbin/nginx -g "daemon off;"',
  haltSignal: 'SIGTERM',
  autostart: true,
  includes: ['/usr/share/lxc/config/common.conf'],
  confinement: [],
  bridge: 'lxcbr0',
  network,
  gateway: 0x0a000301,
  address: 0x0a000311,
};

describe('the configuration of a new container', () => {
  const entries = new Map(
    parseConfig(containerConfig(wanted)).map(({ key, value }) => [key, value]),
  );

  test('says in today’s keys what was wanted', () => {
    expect(interpretConfig(parseConfig(containerConfig(wanted)))).toEqual({
      rootfs: 'overlay:/var/lib/lxc/host/rootfs:/var/lib/lxc/web-01/delta0',
      groups: ['web'],
      addresses: ['10.0.3.17'],
      firstInterface: 'eth0',
      autostart: true,
      oldKeys: [],
    });
  });

  test('has a hardware address that follows from the address', () => {
    expect(entries.get('lxc.net.0.hwaddr')).toBe('02:00:0a:00:03:11');
  });

  test('is confined as the distribution confines containers, whose network is its own matter', () => {
    const text =
      'lxc.net.0.type = veth\nlxc.net.0.link = br9\n\nlxc.apparmor.profile = generated\nlxc.apparmor.allow_nesting=1\nlxc.idmap = u 0 100000 65536\n';
    const confinement = confinementOf(text);
    expect(confinement).toEqual([
      { key: 'lxc.apparmor.profile', value: 'generated' },
      { key: 'lxc.apparmor.allow_nesting', value: '1' },
    ]);
    const config = containerConfig({ ...wanted, confinement });
    expect(config).toContain(
      '\nlxc.apparmor.profile = generated\nlxc.apparmor.allow_nesting = 1\n',
    );
  });

  test('leaves systemd to LXC, which knows how to ask it', () => {
    expect(containerConfig({ ...wanted, haltSignal: null })).not.toContain('lxc.signal.halt');
  });
});

describe('the configuration of a clone', () => {
  const clone = {
    name: 'web-02',
    lower: wanted.lower,
    upper: '/var/lib/lxc/web-02/delta0',
    network,
    address: 0x0a000312,
  };
  const source = `${containerConfig(wanted)}lxc.mount.entry = /srv/web-01 srv none bind 0 0\nlxc.net.1.type = veth\nlxc.net.1.hwaddr = 00:16:3e:00:00:01\n`;

  test('differs from the source in name, root and addresses only', () => {
    const before = source.split('\n');
    const after = cloneConfig(source, clone).split('\n');
    expect(after.filter((line) => !before.includes(line))).toEqual([
      'lxc.uts.name = web-02',
      'lxc.rootfs.path = overlay:/var/lib/lxc/host/rootfs:/var/lib/lxc/web-02/delta0',
      'lxc.net.0.hwaddr = 02:00:0a:00:03:12',
      'lxc.net.0.ipv4.address = 10.0.3.18/24',
    ]);
    expect(before.filter((line) => !after.includes(line))).toEqual([
      'lxc.uts.name = web-01',
      'lxc.rootfs.path = overlay:/var/lib/lxc/host/rootfs:/var/lib/lxc/web-01/delta0',
      'lxc.net.0.hwaddr = 02:00:0a:00:03:11',
      'lxc.net.0.ipv4.address = 10.0.3.17/24',
      // Another device's: two with one hardware address would disturb each other.
      'lxc.net.1.hwaddr = 00:16:3e:00:00:01',
    ]);
  });

  test('gets a hardware address even where the source has none', () => {
    const without = source.replace(/^lxc\.net\.0\.hwaddr.*\n/m, '');
    expect(cloneConfig(without, clone)).toContain('lxc.net.0.hwaddr = 02:00:0a:00:03:12\n');
  });

  test('keeps one line where the source says a key twice', () => {
    const twice = `${source}lxc.uts.name = again\n`;
    expect(cloneConfig(twice, clone).match(/^lxc\.uts\.name/gm)).toHaveLength(1);
  });

  test('finds the device with the address, and its bridge', () => {
    const text = 'lxc.net.0.link = br0\nlxc.net.1.link = br1\nlxc.net.1.ipv4.address = 10.0.3.4/24';
    expect(addressedDevice(text)).toBe('lxc.net.1');
    expect(deviceLink(text, 'lxc.net.1')).toBe('br1');
    expect(addressedDevice('lxc.net.0.link = br0')).toBeNull();
  });
});

describe('names of clones', () => {
  test.each([
    ['web-07', 2, [], ['web-08', 'web-09']],
    ['web', 2, [], ['web-01', 'web-02']],
    ['web-01', 2, ['web-02'], ['web-03', 'web-04']],
    ['web-99', 2, [], ['web-100', 'web-101']],
    ['db7', 1, [], ['db8']],
    ['a-1-b', 1, [], ['a-1-b-01']],
  ])('of %s, %d of them, with %j taken', (source, count, taken, names) => {
    expect(cloneNames(source, count, new Set(taken))).toEqual(names);
  });

  test('too long for LXC: refused, with what to do', () => {
    expect(() => cloneNames('a'.repeat(63), 1, new Set())).toThrow(
      'choose a shorter one with --name',
    );
  });

  property.prop([
    fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/),
    fc.integer({ min: 1, max: 150 }),
    fc.array(fc.nat(40)),
  ])('are new and different', (source, count, numbers) => {
    const first = cloneNames(source, 40, new Set());
    const taken = new Set([source, ...numbers.map((number) => first[number] ?? source)]);
    const names = cloneNames(source, count, taken);
    expect(new Set(names).size).toBe(count);
    expect(names.filter((name) => taken.has(name))).toEqual([]);
  });
});

describe('small things', () => {
  test('an archive of opaque directories says so of each', async () => {
    const archive = opaqueArchive(101);
    const { stdout } = await execa('tar', ['-t', '--file=-'], { input: archive });
    expect(stdout.split('\n')).toEqual(Array.from({ length: 101 }, (_, index) => `${index}/`));
    const records = archive.toString('latin1').match(/\n?(\d+) SCHILY[^\n]*=y\n/g) ?? [];
    expect(records.map((record) => Number.parseInt(record))).toEqual(
      records.map((one) => one.length),
    );
    expect(records).toHaveLength(101);
  });

  test('leases of dnsmasq', () => {
    const text =
      '1795532926 02:00:0a:00:03:05 10.0.3.5 web *\n1795532926 02:00:0a:00:03:06 10.0.3.6 * 01:02\nduid 00:01\n';
    expect(leasedAddresses(text)).toEqual([0x0a000305, 0x0a000306]);
  });

  test('a path with its parents', () => {
    expect(pathAndParents('/var/lib/lxc')).toEqual(['/var', '/var/lib', '/var/lib/lxc']);
  });

  test('the mount unit is named as systemd wants it', () => {
    expect(lowerLayerUnit('/var/lib/lxc/host/rootfs').name).toBe('var-lib-lxc-host-rootfs.mount');
    expect(lowerLayerUnit('/srv/my-lxc/host').name).toBe('srv-my\\x2dlxc-host.mount');
  });
});
