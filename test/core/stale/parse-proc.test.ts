import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { fc, test as property } from '@fast-check/jest';
import {
  labelNames,
  lxcCgroup,
  ownContainerPrefix,
  unitOf,
} from '../../../src/core/stale/parse-cgroup.ts';
import { parseMaps, sameInode } from '../../../src/core/stale/parse-maps.ts';
import { mountOf, mountsBelow, parseMountinfo } from '../../../src/core/stale/parse-mountinfo.ts';
import { imageOf, parseStatus } from '../../../src/core/stale/parse-stat.ts';

const sample = (name: string): string =>
  readFileSync(new URL(`../../fixtures/proc/${name}.txt`, import.meta.url), 'utf8');

/** Names as a hostile container may choose them; no slash, no NUL. */
const name = fc
  .string({ unit: fc.constantFrom('a', ' ', '(', ')', '\t', '\\', '#', ':', '-', ' - ', 'é', '0') })
  .filter((text) => text !== '');

describe('maps', () => {
  test('a recorded container process: each file once, heap and vdso left out', () => {
    const files = parseMaps(sample('maps-container'));
    expect(files.map(({ text }) => text)).toEqual([
      '/usr/bin/gs-demo-web',
      '/usr/lib/x86_64-linux-gnu/libc.so.6',
      '/usr/lib/x86_64-linux-gnu/libgsdemo.so.1.0.0',
      '/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2',
    ]);
    expect(new Set(files.map(({ device }) => device))).toEqual(new Set(['0:46']));
    expect(files.every(({ executable }) => executable)).toBe(true);
    expect(files[0]?.range).toMatch(/^[0-9a-f]+-[0-9a-f]+$/);
  });

  test('a recorded overlay with xino: the lower 63 bits are the lower file’s number', () => {
    const [program] = parseMaps(sample('maps-xino'));
    expect(program?.inode).toBe('9223372036856517943');
    expect(sameInode('9223372036856517943', '1742135')).toBe(true);
    expect(sameInode('9223372036856517943', '1742136')).toBe(false);
    expect(sameInode('1742135', '1742135')).toBe(true);
    expect(sameInode('1742135', '9223372036856517943')).toBe(false);
  });

  test('a recorded host process whose program was replaced keeps the mark in its text', () => {
    const files = parseMaps(sample('maps-host-deleted'));
    expect(files[0]).toMatchObject({ device: '254:0', text: '/usr/local/bin/slp (deleted)' });
  });

  test('memory is no file, data is not executable, a cut line is ignored', () => {
    const line = (rest: string): string => `7f0000000000-7f0000001000 ${rest}\n`;
    const text =
      line('r-xp 00000000 00:01 1027                   /memfd:lxc-attach (deleted)') +
      line('rw-s 00000000 00:01 9                      /dev/zero (deleted)') +
      line('rw-s 00000000 00:01 32769                  /SYSV00000000 (deleted)') +
      line('rw-s 00000000 00:1a 3                      /dev/shm/x') +
      line('r--p 00000000 fe:01 77                     /usr/share/data/a b') +
      line('r-xp 00001000 fe:01 78                     /usr/share/data/a b') +
      line('r--p 00000000 fe:01 77                     /usr/share/data/a b') +
      '7f0000000000-7f00000';
    expect(parseMaps(text)).toEqual([
      {
        ...{ device: '254:1', inode: '77', text: '/usr/share/data/a b', executable: false },
        range: '7f0000000000-7f0000001000',
      },
      {
        ...{ device: '254:1', inode: '78', text: '/usr/share/data/a b', executable: true },
        range: '7f0000000000-7f0000001000',
      },
    ]);
    expect(parseMaps('')).toEqual([]);
  });

  property.prop([fc.array(fc.record({ path: name, inode: fc.nat(), runs: fc.boolean() }))])(
    'every path comes back as it was written, whatever is in it',
    (files) => {
      const text = files
        .map(
          ({ path, inode, runs }) =>
            `7f00-7f01 r-${runs ? 'x' : '-'}p 00000000 00:2e ${inode}              /${path}\n`,
        )
        .join('');
      const got = parseMaps(text);
      const wanted = new Map<string, boolean>();
      for (const { path, inode, runs } of files) {
        const key = `${inode} /${path}`;
        wanted.set(key, (wanted.get(key) ?? false) || runs);
      }
      expect(new Map(got.map((one) => [`${one.inode} ${one.text}`, one.executable]))).toEqual(
        wanted,
      );
    },
  );
});

describe('stat', () => {
  const rest = (flags: number): string =>
    `S 125 126 125 0 -1 ${flags} 84 0 0 0 0 0 0 0 20 0 2 0 397259 11018240 423`;

  test('state, parent, flags and start time', () => {
    expect(parseStatus(`126 (gs-demo-web) ${rest(4194560)}\n`)).toEqual({
      ...{ command: 'gs-demo-web', state: 'S', parent: 125, startTime: '397259' },
      ...{ kernelThread: false, exiting: false },
    });
    expect(parseStatus(`2 (kthreadd) ${rest(0x208040)}`)?.kernelThread).toBe(true);
    expect(parseStatus(`9 (x) ${rest(0x400004)}`)?.exiting).toBe(true);
  });

  test('what a process runs is named by where its arguments lie', () => {
    const all = (argumentsAt: number): string =>
      `126 (a) b) ${rest(0)} ${Array.from({ length: 23 }, () => 0).join(' ')} ${argumentsAt} ${argumentsAt + 9} 7 8 0\n`;
    expect(imageOf(all(140))).toBe('397259 140-149');
    expect(imageOf(all(150))).not.toBe(imageOf(all(140)));
    expect(imageOf(`126 (x) ${rest(0)}\n`)).toBe('397259 -');
    expect(imageOf('126 (x) S 1')).toBeNull();
  });

  test('a cut text is nothing', () => {
    for (const text of ['', '126', '126 (x', '126 (x) S 1']) expect(parseStatus(text)).toBeNull();
  });

  property.prop([fc.string({ unit: fc.constantFrom('(', ')', ' ', '\n', 'S', '1', 'é') })])(
    'any command name leaves the fields where they are',
    (command) => {
      const status = parseStatus(`126 (${command}) ${rest(0)}\n`);
      expect(status).toMatchObject({ command, state: 'S', parent: 125, startTime: '397259' });
    },
  );
});

describe('mountinfo', () => {
  test('a recorded container: its root is an overlay, /proc is not', () => {
    const mounts = parseMountinfo(sample('mountinfo-container'));
    const root = mountOf(mounts, '/usr/lib/x86_64-linux-gnu/libc.so.6');
    expect(root).toMatchObject({ device: '0:46', root: '/', point: '/', fileSystem: 'overlay' });
    expect(mountOf(mounts, '/proc/1/maps')?.fileSystem).toBe('proc');
    expect(mountOf(mounts, '/process')?.fileSystem).toBe('overlay');
  });

  test('of two mounts on one point the later one is on top, and a deeper point wins over both', () => {
    const mounts = parseMountinfo(sample('mountinfo-host'));
    expect(mountOf(mounts, '/usr/local/bin/node')?.root).toBe('/usr/bin/node');
    const [first, second, deep] = ['/', '/', '/opt'].map((point, at) => ({
      ...{ point, device: `0:${at}`, root: '/', fileSystem: 'x', options: '' },
    }));
    if (first === undefined || second === undefined || deep === undefined) throw new Error('three');
    expect(mountOf([deep, first, second], '/usr')).toBe(second);
    expect(mountOf([deep, first, second], '/opt')).toBe(deep);
    expect(mountOf([deep], '/usr')).toBeNull();
    expect(mountsBelow('/jail', [first, deep]).map(({ point }) => point)).toEqual([
      '/jail',
      '/jail/opt',
    ]);
  });

  property.prop([name, name])('escaped points and roots come back', (point, root) => {
    const escape = (text: string): string =>
      text.replace(/[ \t\n\\#]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`);
    const line = `36 35 98:0 /${escape(root)} /${escape(point)} rw,noatime master:1 shared:2 - ext3 /dev/root rw\n`;
    expect(parseMountinfo(line)).toMatchObject([
      { device: '98:0', root: `/${root}`, point: `/${point}`, fileSystem: 'ext3' },
    ]);
  });
});

describe('cgroup', () => {
  // Of today's LXC, test/host/recorded-hosts.test.ts has recordings.
  test('LXC before 3.1: below the cgroup of whoever started it', () => {
    const text = [
      '12:freezer:/lxc/web-01',
      '11:cpu,cpuacct:/lxc/web-01',
      '1:name=systemd:/user.slice/user-0.slice/session-3.scope/lxc/web-01',
      '',
    ].join('\n');
    expect(lxcCgroup(text)).toEqual({ role: 'container', label: 'web-01' });
  });

  test('the outermost container counts, and one around the reader does not', () => {
    const nested = '0::/lxc.payload.web-01/lxc.payload.inner\n';
    expect(lxcCgroup(nested)).toEqual({ role: 'container', label: 'web-01' });
    const own = ownContainerPrefix('0::/lxc.payload.h1/system.slice/groundswell.service\n');
    expect(own).toBe('/lxc.payload.h1');
    expect(lxcCgroup('0::/lxc.payload.h1/lxc.payload.web-01\n', own)?.label).toBe('web-01');
    expect(lxcCgroup('0::/lxc.payload.h1/system.slice/cron.service\n', own)).toBeNull();
    expect(lxcCgroup('0::/lxc.payload.h10/x\n', own)?.label).toBe('h10');
    expect(ownContainerPrefix('0::/\n')).toBe('');
    expect(ownContainerPrefix('0::/a/lxc.payload.x/lxc/y/z\n')).toBe('/a/lxc.payload.x/lxc/y');
  });

  test('a directory of a later version: lxc.payload/NAME; LXC’s other cgroups are nobody’s', () => {
    expect(lxcCgroup('0::/lxc.payload/web-01\n')?.label).toBe('web-01');
    expect(lxcCgroup('0::/lxc.pivot\n')).toBeNull();
    expect(lxcCgroup('')).toBeNull();
  });

  test('a label may be a name or a later life of one', () => {
    expect(labelNames('web-1')).toEqual(['web-1', 'web']);
    expect(labelNames('web')).toEqual(['web']);
  });

  test('the unit of a process: the innermost that the system knows, unescaped', () => {
    const getty = '/system.slice/system-getty.slice/getty\\x2dfoo@tty1.service';
    expect(unitOf(`0::${getty}\n`)).toBe('getty-foo@tty1.service');
    expect(unitOf(`4:memory:/x.service\n1:name=systemd:${getty}\n0::/y.service\n`)).toBe(
      'getty-foo@tty1.service',
    );
    expect(unitOf('0::/lxc.payload.web-01/system.slice/nginx.service\n')).toBe('nginx.service');
    expect(unitOf('0::/lxc.payload.web-01\n')).toBeNull();
    // On a v2 machine where somebody has mounted systemd's hierarchy of v1.
    expect(unitOf(`1:name=systemd:/\n0::${getty}\n`)).toBe('getty-foo@tty1.service');
    const user = '0::/user.slice/user-1000.slice/user@1000.service/app.slice/syncthing.service\n';
    expect(unitOf(user)).toBe('user@1000.service');
  });
});
