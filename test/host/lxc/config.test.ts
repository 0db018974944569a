import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { classifyRoot, overlayLayers } from '../../../src/host/lxc/classify-root.ts';
import type { LowerKind } from '../../../src/host/lxc/classify-root.ts';
import { interpretConfig } from '../../../src/host/lxc/interpret-config.ts';
import { parseConfig } from '../../../src/host/lxc/parse-config.ts';
import { configReader } from '../../../src/host/lxc/read-config.ts';

const fixture = (name: string): string =>
  readFileSync(new URL(`../../fixtures/lxc/${name}.conf`, import.meta.url), 'utf8');

const meaningOf = (name: string) => interpretConfig(parseConfig(fixture(name)));

describe('what a configuration says', () => {
  test('one of the test bed, in keys of today', () => {
    expect(meaningOf('bed-web')).toEqual({
      rootfs: 'overlay:/var/lib/lxc/host/rootfs:/var/lib/lxc/web-01/delta0',
      groups: ['web'],
      addresses: ['10.78.20.11'],
      firstInterface: 'eth0',
      autostart: true,
      oldKeys: [],
    });
  });

  test('what its first network device is called in it', () => {
    const named = (text: string) => interpretConfig(parseConfig(text)).firstInterface;
    expect(named('lxc.net.1.name = lan0\nlxc.net.0.name = wan0\n')).toBe('wan0');
    expect(named('lxc.net.0.name = wan0\nlxc.net.0.name =\n')).toBe('eth0');
  });

  test('one that groundswell made', () => {
    expect(meaningOf('made-by-groundswell')).toMatchObject({
      groups: ['app'],
      addresses: ['10.78.20.2'],
      oldKeys: [],
    });
  });

  test('the old form, with every old key by name', () => {
    expect(meaningOf('old-form')).toEqual({
      rootfs: 'overlayfs:/var/lib/lxc/host/rootfs:/var/lib/lxc/web-07/delta0',
      groups: ['web', 'onboot'],
      addresses: ['10.0.3.17'],
      firstInterface: 'eth0',
      autostart: true,
      oldKeys: [
        'lxc.rootfs',
        'lxc.utsname',
        'lxc.tty',
        'lxc.pts',
        'lxc.network.type',
        'lxc.network.link',
        'lxc.network.flags',
        'lxc.network.ipv4',
        'lxc.network.ipv4.gateway',
      ],
    });
  });

  test('blanks, quotes, emptied lists, values said twice', () => {
    expect(meaningOf('odd-writing')).toEqual({
      rootfs: 'overlayfs:/var/lib/lxc/host/rootfs:/srv/upper/odd',
      groups: ['web'],
      addresses: ['10.0.3.10', '192.168.7.2'],
      firstInterface: 'eth0',
      autostart: true,
      oldKeys: [],
    });
  });
});

describe('included files', () => {
  const reader = (files: Record<string, string | string[]>, reads: string[] = []) =>
    configReader({
      readEntries: (path) => {
        reads.push(path);
        const text = files[path];
        if (typeof text !== 'string') throw new Error(`ENOENT ${path}`);
        return parseConfig(text);
      },
      listDirectory: (path) => {
        const found = files[path];
        return Array.isArray(found) ? found : null;
      },
    });

  test('stand where they are included, a directory for its *.conf files in order', () => {
    const read = reader({
      '/a/config': 'lxc.group = one\nlxc.include = /d\nlxc.group = four',
      '/d': ['20.conf', 'README', '10.conf'],
      '/d/10.conf': 'lxc.group = two',
      '/d/20.conf': 'lxc.group = three',
    });
    expect(read('/a/config').map(({ value }) => value)).toEqual(['one', 'two', 'three', 'four']);
  });

  test('are read once for all containers', () => {
    const reads: string[] = [];
    const read = reader(
      {
        '/a/config': 'lxc.include = /common',
        '/b/config': 'lxc.include = /common',
        '/common': 'lxc.start.auto = 1',
      },
      reads,
    );
    read('/a/config');
    read('/b/config');
    expect(reads.filter((path) => path === '/common')).toHaveLength(1);
  });

  test('that include each other end with an error that names one', () => {
    const read = reader({
      '/a/config': 'lxc.include = /b',
      '/b': 'lxc.include = /c',
      '/c': 'lxc.include = /b',
    });
    expect(() => read('/a/config')).toThrow(/\/[bc]: lxc\.include is nested/);
  });
});

describe('on the host’s root or not', () => {
  const classify = (rootfs: string | null, lower: LowerKind, oldKeys: string[] = []) =>
    classifyRoot({ rootfs, oldKeys }, () => lower);
  const overlay = 'overlay:/var/lib/lxc/host/rootfs:/var/lib/lxc/a/delta0';

  test('an overlay over a bind mount of it is', () => {
    expect(classify(overlay, 'host-root')).toEqual({
      kind: 'host-overlay',
      lower: '/var/lib/lxc/host/rootfs',
      upper: '/var/lib/lxc/a/delta0',
    });
  });

  test('in keys that LXC dropped it is named as such', () => {
    const root = classify(overlay, 'host-root', ['lxc.network.type']);
    expect(root.kind).toBe('host-overlay-old-keys');
  });

  test.each([
    ['plain-directory', overlay, 'nothing is mounted there'],
    ['other-mount', overlay, "not the host's root"],
    ['missing', overlay, 'does not exist'],
    ['host-root', 'dir:/srv/own', 'dir:/srv/own'],
    ['host-root', '/srv/own', '/srv/own'],
    ['host-root', 'overlay:/a:/b:/c', 'not one lower and one upper'],
    ['host-root', 'overlay:/a', 'not one lower and one upper'],
    ['host-root', 'zfs:tank/a', 'zfs:tank/a'],
    ['host-root', null, 'no root filesystem'],
  ] as const)('lower layer %s, root %s: left alone', (lower, rootfs, said) => {
    const root = classify(rootfs, lower);
    expect(root.kind).toBe('other');
    expect(root.kind === 'other' && root.describe).toContain(said);
  });

  test('both spellings of the overlay backend', () => {
    expect(overlayLayers('overlayfs:/l:/u')).toEqual({ lower: '/l', upper: '/u' });
    expect(overlayLayers('overlay:/l:/u')).toEqual({ lower: '/l', upper: '/u' });
    expect(overlayLayers('/overlay:/l:/u')).toBeNull();
  });
});
