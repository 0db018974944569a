import { execFileSync } from 'node:child_process';
import { rmSync, symlinkSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { packagedPathsOf } from '../../../src/core/stale/packaged-paths.ts';
import { DEFAULT_EFFORT_LIMITS } from '../../../src/host/proc/effort.ts';
import { mountsReader } from '../../../src/host/proc/mounts-reader.ts';
import { ownVersions } from '../../../src/host/proc/own-versions.ts';
import { processReader, seeProcesses } from '../../../src/host/proc/read-processes.ts';
import { DEFAULT_UPPER_LIMITS, openUpperLayer } from '../../../src/host/proc/upper-layer.ts';
import { madeUpHost, mapped, unmarked } from './made-up-container.ts';
import type { MadeUpHost } from './made-up-container.ts';

/** More than any machine reads while a test waits. */
const HUGE = 8 * 2 ** 40;

let host: MadeUpHost;
beforeEach(() => {
  host = madeUpHost();
});
afterEach(() => {
  host.remove();
});

/** A process of `evil` that maps a copy of its own, and one of `good` that runs a replaced file. */
const twoContainers = (copySize: number): void => {
  host.put('lower/usr/lib/x', 'new');
  const copy = host.put('evil/usr/lib/x', 'own');
  truncateSync(copy, copySize);
  host.run({
    ...{ pid: 100, container: 'evil' },
    maps: mapped('/usr/lib/x'),
    mapFiles: { '7f00-7f01': copy },
  });
  host.run({ pid: 200, container: 'good', maps: mapped('/usr/lib/x', { inode: 1 }) });
};

describe('content that is compared', () => {
  test('of different sizes is different, and not read', () => {
    twoContainers(HUGE);
    // What it has mapped is not what its upper layer has by now.
    const old = host.put('old', 'a third');
    rmSync(join(host.top, 'proc/100/map_files/7f00-7f01'));
    symlinkSync(old, join(host.top, 'proc/100/map_files/7f00-7f01'));
    const scan = host.scan(['evil', 'good']);
    expect(host.scanOf('evil', scan)).toMatchObject({
      stale: [{ path: '/usr/lib/x', kind: 'replaced' }],
      unreadable: [],
    });
  });

  test('beyond the limit is unreadable, which hinders no other container', () => {
    twoContainers(HUGE);
    const scan = host.scan(['evil', 'good'], {
      effortLimits: { ...DEFAULT_EFFORT_LIMITS, fileBytes: 1 << 20 },
    });
    expect(host.scanOf('evil', scan)).toMatchObject({
      stale: [],
      unreadable: [{ what: 'process 100 app: /usr/lib/x', reason: 'it is larger than 1 MiB' }],
    });
    expect(host.scanOf('good', scan).stale).toHaveLength(1);
    expect(host.scanOf('good', scan).unreadable).toEqual([]);
  });

  test('is bounded by all that a container lets be read, too', () => {
    twoContainers(HUGE);
    const scan = host.scan(['evil', 'good'], {
      effortLimits: { ...DEFAULT_EFFORT_LIMITS, bytes: 1 << 20 },
    });
    expect(host.scanOf('evil', scan).unreadable).toEqual([
      { what: 'container', reason: 'more than 1048576 bytes to compare' },
    ]);
    expect(host.scanOf('good', scan).stale).toHaveLength(1);
  });
});

describe('a container that takes too long', () => {
  /** Each look at the clock costs a second. */
  const ticking = (): (() => number) => {
    let time = 0;
    return () => (time += 1000);
  };
  const limits = { ...DEFAULT_EFFORT_LIMITS, timeMs: 20_000, togetherMs: 40_000, leastMs: 8_000 };
  const many = (name: string, pid: number, files: number): void => {
    const maps = Array.from({ length: files }, (_, at) => mapped(`/usr/lib/${at}`)).join('');
    host.run({ pid, container: name, maps });
  };

  test('is unreadable, and the others are judged', () => {
    many('evil', 100, 100);
    many('good', 200, 2);
    const scan = host.scan(['evil', 'good'], { now: ticking(), effortLimits: limits });
    expect(host.scanOf('evil', scan).unreadable).toEqual([
      { what: 'container', reason: 'it takes too long' },
    ]);
    expect(host.scanOf('good', scan)).toMatchObject({ processes: 1, unreadable: [] });
  });

  test('leaves each of the others a time of its own', () => {
    const names = Array.from({ length: 10 }, (_, at) => `evil${at}`);
    names.forEach((name, at) => {
      many(name, 100 + at, 100);
    });
    many('good', 200, 2);
    let looks = 0;
    const clock = ticking();
    const now = (): number => {
      looks += 1;
      return clock();
    };
    const scan = host.scan([...names, 'good'], { now, effortLimits: limits });
    for (const name of names) expect(host.scanOf(name, scan).unreadable).toHaveLength(1);
    expect(host.scanOf('good', scan).unreadable).toEqual([]);
    // Two have twenty seconds, and the others, of what is left, their least.
    expect(looks).toBeLessThan(20 * 2 + 10 * 8 + 50);
  });
});

describe('a container’s own package database', () => {
  const path = '/var/lib/dpkg/status';
  const stanza = 'Package: p\nStatus: install ok installed\nVersion: 2\n';
  const versions = (): ReadonlyMap<string, string> => {
    const upper = openUpperLayer(join(host.top, 'evil'), {
      xattrs: { prefetch: () => undefined, read: () => unmarked },
      ...{ namespace: 'trusted', limits: DEFAULT_UPPER_LIMITS, now: () => 0 },
    });
    if (upper === null) throw new Error('no upper layer');
    const packaged = packagedPathsOf({
      ...{ lists: [], conffiles: new Set(), diversions: [], aliases: new Map() },
      versions: new Map([['p', '1']]),
    });
    // It is another thing when it is opened than it was when it was looked at.
    const { source, ...layer } = upper;
    try {
      return ownVersions({ ...layer, source: (at) => swapped(source(at)) }, packaged);
    } finally {
      upper.close();
    }
  };
  let swapped = <T>(found: T): T => found;
  const swapFor = (make: (at: string) => void): void => {
    swapped = (found) => {
      rmSync(join(host.top, 'evil', path));
      make(join(host.top, 'evil', path));
      return found;
    };
  };
  beforeEach(() => {
    host.put(`evil${path}`, stanza);
  });
  afterEach(() => {
    swapped = (found) => found;
  });

  test('proves newer versions', () => {
    expect(versions()).toEqual(new Map([['p', '2']]));
  });

  test('is not read when it is larger than any', () => {
    truncateSync(join(host.top, 'evil', path), 64 << 20);
    expect(versions()).toEqual(new Map());
  });

  test('is not followed when it becomes a link', () => {
    const others = host.put('others', stanza);
    swapFor((at) => {
      symlinkSync(others, at);
    });
    expect(versions()).toEqual(new Map());
  });

  test('is not waited for when it becomes a pipe', () => {
    swapFor((at) => execFileSync('mkfifo', [at]));
    expect(versions()).toEqual(new Map());
  });
});

describe('a process that calls itself another container’s monitor', () => {
  test('makes none of its own container’s processes count to that one', () => {
    const cmdline = '[lxc monitor] /var/lib/lxc web';
    host.run({ pid: 10, container: 'web' });
    host.run({ pid: 20, container: 'web-2', command: 'lxc-start', cmdline });
    host.run({ pid: 21, container: 'web-2', parent: 20 });
    const scan = host.scan(['web', 'web-2']);
    expect(host.scanOf('web', scan).processes).toBe(1);
    expect(host.scanOf('web-2', scan).processes).toBe(2);
  });
});

describe('a process that maps more than any should', () => {
  const nothing = '7f0000000000-7f0000001000 rw-p 00000000 00:00 0 \n';

  test('half a million times memory is judged by the file among it', () => {
    host.put('lower/usr/lib/x', 'new');
    const maps = nothing.repeat(500_000) + mapped('/usr/lib/x', { inode: 1 });
    host.run({ pid: 100, container: 'evil', maps });
    const found = host.scanOf('evil', host.scan(['evil']));
    expect(found.stale.map(({ path }) => path)).toEqual(['/usr/lib/x']);
    expect(found.unreadable).toEqual([]);
  });

  test('beyond the limit is unreadable, which hinders no other container', () => {
    twoContainers(3);
    host.run({ pid: 101, container: 'evil', maps: nothing.repeat(700_000) });
    const scan = host.scan(['evil', 'good']);
    expect(host.scanOf('evil', scan).unreadable).toEqual([
      { what: 'process 101 app', reason: 'it is larger than 32 MiB' },
    ]);
    expect(host.scanOf('good', scan)).toMatchObject({ stale: [{ pid: 200 }], unreadable: [] });
  });
});

describe('mounts of a container', () => {
  const mounts = (count: number): string =>
    Array.from(
      { length: count },
      (_, at) => `${at} 1 0:46 / ${at === 0 ? '/' : `/mnt/${at}`} rw - overlay overlay rw\n`,
    ).join('');

  test('beyond the limit make it unreadable, and no other', () => {
    twoContainers(3);
    host.put('proc/100/mountinfo', mounts(100_000));
    const scan = host.scan(['evil', 'good']);
    const reason = "its init's mounts cannot be read: it is larger than 4 MiB";
    expect(host.scanOf('evil', scan).unreadable).toEqual([{ what: 'root', reason }]);
    expect(host.scanOf('good', scan).stale).toHaveLength(1);
  });

  test('are read once for each namespace, and not all remembered', () => {
    const namespaces = 4;
    for (let at = 0; at < namespaces; at += 1) {
      const namespace = `mnt:[${at}]`;
      host.run({ pid: 100 + at, container: 'evil', namespace, mountinfo: mounts(40_000) });
    }
    const seen = seeProcesses(processReader(join(host.top, 'proc')));
    const read = mountsReader(join(host.top, 'proc'));
    const [first, second] = seen;
    if (first === undefined || second === undefined) throw new Error('not seen');
    const found = read(first);
    expect(found).toHaveLength(40_000);
    expect(read(first)).toBe(found);
    read(second);
    expect(read(first)).toBe(found);
    for (const process of seen) read(process);
    expect(read(first)).not.toBe(found);
  });
});
