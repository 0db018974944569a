import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { packagedPathsOf } from '../../../src/core/stale/packaged-paths.ts';
import { DEFAULT_EFFORT_LIMITS, effortKeeper } from '../../../src/host/proc/effort.ts';
import { contentReader } from '../../../src/host/proc/file-content.ts';
import { findInUpper } from '../../../src/host/proc/find-in-upper.ts';
import { entriesToAsk, findShadows } from '../../../src/host/proc/find-shadows.ts';
import { openLowerLayer } from '../../../src/host/proc/lower-layer.ts';
import type { OverlayXattrs, XattrReader } from '../../../src/host/proc/overlay-xattrs.ts';
import { beginContainerScan } from '../../../src/host/proc/scan-host.ts';
import { createScanMemory } from '../../../src/host/proc/scan-surroundings.ts';
import { openUpperLayer, UpperLayerError } from '../../../src/host/proc/upper-layer.ts';
import type { UpperLayer } from '../../../src/host/proc/upper-layer.ts';

const none: OverlayXattrs = { opaque: null, redirect: null, metacopy: false, whiteout: false };

describe('two layers on disk', () => {
  let top: string;
  let opened: UpperLayer[] = [];
  let attributes: Record<string, Partial<OverlayXattrs>> = {};

  const xattrs: XattrReader = {
    prefetch: () => undefined,
    read: ({ path }) => ({ ...none, ...attributes[path.slice(top.length + '/upper'.length)] }),
  };
  const put = (layer: 'lower' | 'upper', path: string, text = path): void => {
    mkdirSync(dirname(join(top, layer, path)), { recursive: true });
    writeFileSync(join(top, layer, path), text);
  };
  const upperLayer = (limits = { entries: 1000, timeMs: 10_000 }, now = () => 0): UpperLayer => {
    const layer = openUpperLayer(join(top, 'upper'), { xattrs, namespace: 'trusted', limits, now });
    if (layer === null) throw new Error('no upper layer');
    opened.push(layer);
    return layer;
  };
  const shadows = (paths: readonly string[]): string[] => {
    const lower = openLowerLayer(join(top, 'lower'));
    const packaged = packagedPathsOf({
      lists: [{ package: 'p', paths }],
      conffiles: new Set(['/etc/p.conf']),
      diversions: [],
      aliases: lower.aliases(),
      versions: new Map(),
    });
    const effort = effortKeeper(DEFAULT_EFFORT_LIMITS, () => 0)();
    const search = { upper: upperLayer(), lower, packaged, contents: contentReader(), effort };
    return findShadows(search)
      .map(({ path, kind }) => `${path} ${kind}`)
      .sort();
  };

  beforeEach(() => {
    top = mkdtempSync(join(tmpdir(), 'gs-layers-'));
    mkdirSync(join(top, 'lower'));
    mkdirSync(join(top, 'upper'));
    attributes = {};
  });
  afterEach(() => {
    for (const layer of opened) layer.close();
    opened = [];
    rmSync(top, { recursive: true });
  });

  test('copies: content decides, and only what is packaged and no configuration counts', () => {
    for (const path of ['/usr/lib/a', '/usr/lib/b', '/usr/lib/c', '/etc/p.conf', '/opt/own'])
      put('lower', path, 'same size 1');
    put('upper', '/usr/lib/a', 'same size 1');
    put('upper', '/usr/lib/b', 'same size 2');
    put('upper', '/etc/p.conf', 'mine');
    put('upper', '/opt/own', 'mine');
    expect(shadows(['/lib/a', '/usr/lib/a', '/usr/lib/b', '/usr/lib/c', '/etc/p.conf'])).toEqual([
      '/usr/lib/b copy',
    ]);
  });

  test('lists that name a file through a link find it where it lies', () => {
    put('lower', '/usr/lib/a', '1');
    symlinkSync('usr/lib', join(top, 'lower/lib'));
    put('upper', '/usr/lib/a', '2');
    expect(shadows(['/lib/a'])).toEqual(['/usr/lib/a copy']);
  });

  test('opaque and redirected directories hide each packaged file, but for equal copies', () => {
    for (const path of ['/usr/a/1', '/usr/a/2', '/usr/a/d/3', '/usr/b/1']) put('lower', path);
    put('upper', '/usr/a/1');
    mkdirSync(join(top, 'upper/usr/b'));
    attributes = { '/usr/a': { opaque: 'y' }, '/usr/b': { redirect: '/usr/x' } };
    expect(shadows(['/usr/a/1', '/usr/a/2', '/usr/a/d/3', '/usr/a/gone', '/usr/b/1'])).toEqual([
      '/usr/a/2 opaque',
      '/usr/a/d/3 opaque',
      '/usr/b/1 redirect',
    ]);
    attributes = { '/usr/a': { opaque: 'x' } };
    expect(shadows(['/usr/a/2'])).toEqual([]);
  });

  test('an empty file with an attribute is a whiteout in a marked directory, and only there', () => {
    put('lower', '/usr/a/1');
    put('upper', '/usr/a/1', '');
    attributes = { '/usr/a': { opaque: 'x' }, '/usr/a/1': { whiteout: true } };
    expect(shadows(['/usr/a/1'])).toEqual(['/usr/a/1 whiteout']);
    attributes = { '/usr/a/1': { whiteout: true } };
    expect(shadows(['/usr/a/1'])).toEqual(['/usr/a/1 copy']);
  });

  test('metadata alone is no copy', () => {
    put('lower', '/usr/a', 'content');
    mkdirSync(join(top, 'upper/usr'));
    writeFileSync(join(top, 'upper/usr/a'), '');
    truncateSync(join(top, 'upper/usr/a'), 9);
    attributes = { '/usr/a': { metacopy: true } };
    expect(shadows(['/usr/a'])).toEqual([]);
    expect(findInUpper(upperLayer(), '/usr/a')).toEqual({ state: 'metadata', lowerPath: '/usr/a' });
    attributes = {};
    expect(shadows(['/usr/a'])).toEqual(['/usr/a copy']);
  });

  test('a link in place of a directory hides what is below, and is never followed', () => {
    put('lower', '/usr/a/1');
    mkdirSync(join(top, 'upper/usr'));
    symlinkSync('/', join(top, 'upper/usr/a'));
    expect(shadows(['/usr/a/1'])).toEqual(['/usr/a/1 symlink']);
    expect(findInUpper(upperLayer(), '/usr/a/etc').state).toBe('hidden');
    expect(upperLayer().list('/usr/a')).toBeNull();
  });

  test('a directory that becomes a link between two looks is not followed either', () => {
    put('upper', '/usr/a/1');
    const upper = upperLayer();
    expect(upper.list('/usr')?.get('a')?.isDirectory()).toBe(true);
    renameSync(join(top, 'upper/usr/a'), join(top, 'upper/usr/b'));
    symlinkSync('/etc', join(top, 'upper/usr/a'));
    expect(upper.list('/usr/a')).toBeNull();
  });

  test('pipes are not opened, odd names are passed over', () => {
    put('lower', '/usr/a', 'x');
    mkdirSync(join(top, 'upper/usr'));
    execFileSync('mkfifo', [join(top, 'upper/usr/a')]);
    writeFileSync(Buffer.concat([Buffer.from(join(top, 'upper/usr/')), Buffer.from([0xff])]), '');
    writeFileSync(join(top, 'upper/usr/new\nline'), '');
    expect(shadows(['/usr/a'])).toEqual(['/usr/a copy']);
  });

  test('looking up a mapped path: redirects lead elsewhere in the lower layer', () => {
    put('upper', '/usr/moved/sub/x', 'copy');
    attributes = { '/usr/moved': { redirect: 'old' } };
    const upper = upperLayer();
    expect(findInUpper(upper, '/usr/moved/y')).toEqual({ state: 'none', lowerPath: '/usr/old/y' });
    expect(findInUpper(upper, '/usr/moved/sub/x').state).toBe('copy');
    attributes = { '/usr/moved': { redirect: '/srv/z', opaque: null } };
    expect(findInUpper(upper, '/usr/moved/sub/y').lowerPath).toBe('/srv/z/sub/y');
    expect(findInUpper(upper, '/bin/x')).toEqual({ state: 'none', lowerPath: '/bin/x' });
  });

  test('too many entries and too much time end the look with a reason', () => {
    for (let at = 0; at < 20; at += 1) put('upper', `/usr/${at}`);
    expect(() => upperLayer({ entries: 10, timeMs: 1000 }).list('/usr')).toThrow(UpperLayerError);
    let time = 0;
    const slow = upperLayer({ entries: 1000, timeMs: 5 }, () => (time += 1));
    expect(() => slow.list('/usr')).toThrow('not read within 5 ms');
  });

  test('only the time for reading its directories counts: what a scan does in between does not', () => {
    for (let at = 0; at < 10; at += 1) put('upper', `/usr/${at}/x`);
    let time = 0;
    const layer = upperLayer({ entries: 1000, timeMs: 25 }, () => (time += 1));
    time += 1000;
    expect(layer.list('/usr')?.size).toBe(10);
    time += 1000;
    const rest = (): unknown[] => Array.from({ length: 10 }, (_, at) => layer.list(`/usr/${at}`));
    expect(rest).toThrow('not read within 25 ms');
  });

  test('attributes are asked only of what packages ship', () => {
    put('upper', '/usr/a/1');
    put('upper', '/srv/own/1');
    const lower = openLowerLayer(join(top, 'lower'));
    const packaged = packagedPathsOf({
      lists: [{ package: 'p', paths: ['/usr/a/1'] }],
      conffiles: new Set(),
      diversions: [],
      aliases: new Map(),
      versions: new Map(),
    });
    const effort = effortKeeper(DEFAULT_EFFORT_LIMITS, () => 0)();
    const search = { upper: upperLayer(), lower, packaged, contents: contentReader(), effort };
    expect(entriesToAsk(search)).toEqual(['/usr', '/usr/a', '/usr/a/1']);
  });

  test('a scan names every package that a container hides, however many those are', () => {
    const names = Array.from({ length: 1_100 }, (_, at) => `p${at}`);
    for (const name of names) put('lower', `/usr/${name}`);
    for (const name of names.slice(0, 50)) put('lower', `/usr/also-${name}`);
    mkdirSync(join(top, 'upper/usr'));
    attributes = { '/usr': { opaque: 'y' } };
    const packaged = packagedPathsOf({
      lists: names.map((name) => ({ package: name, paths: [`/usr/also-${name}`, `/usr/${name}`] })),
      conffiles: new Set(),
      diversions: [],
      aliases: new Map(),
      versions: new Map(),
    });
    const { shadowed } = beginContainerScan('web-1', {
      containers: [{ name: 'web-1', lower: join(top, 'lower'), upper: join(top, 'upper') }],
      // Nothing runs there.
      procRoot: join(top, 'lower'),
      packagedPaths: () => packaged,
      memory: { ...createScanMemory(), xattrs },
    }).finish();
    expect(new Set(shadowed.map(({ package: name }) => name)).size).toBe(1_100);
    expect(shadowed).toHaveLength(1_100);
  });

  test('links in the lower layer are followed inside it', () => {
    put('lower', '/usr/lib/a', '1');
    symlinkSync('/usr/lib', join(top, 'lower/lib'));
    symlinkSync('loop', join(top, 'lower/loop'));
    const lower = openLowerLayer(join(top, 'lower'));
    expect(lower.hostPath('/lib/a')).toBe(join(top, 'lower/usr/lib/a'));
    expect(lower.entry('/lib/../lib/a')).toEqual({ type: 'file' });
    expect(lower.entry('/loop/a')).toBeNull();
    expect(lower.entry('/usr/lib/a/b')).toBeNull();
    expect(lower.entry('/lib')).toEqual({ type: 'symlink', target: '/usr/lib' });
  });
});
