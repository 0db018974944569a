import { describe, expect, test } from '@jest/globals';
import { fc, test as property } from '@fast-check/jest';
import { assignProcesses } from '../../../src/core/stale/assign-processes.ts';
import type { AssignableProcess } from '../../../src/core/stale/assign-processes.ts';
import { judgeContent, judgeMapping } from '../../../src/core/stale/judge-mapping.ts';
import type { MappingVerdict, UpperState } from '../../../src/core/stale/judge-mapping.ts';
import { judgeEntry } from '../../../src/core/stale/judge-shadow.ts';
import type { LowerEntry, UpperEntry } from '../../../src/core/stale/judge-shadow.ts';
import { locateMapping } from '../../../src/core/stale/locate-mapping.ts';
import {
  packagedPathsOf,
  parseConffiles,
  parseDiversions,
} from '../../../src/core/stale/packaged-paths.ts';
import type { Mount } from '../../../src/core/stale/parse-mountinfo.ts';
import { verdictOf, verificationOf, whyOf } from '../../../src/core/stale/verdict.ts';
import type { ContainerScan } from '../../../src/core/observation.ts';

describe('a mapping', () => {
  const NEW = '20';
  test.each<[string, string, boolean, UpperState, string | null, MappingVerdict]>([
    ['the file as it is', NEW, false, 'none', NEW, 'current'],
    ['a replaced one', '10', false, 'none', NEW, 'replaced'],
    ['a removed one', '10', false, 'none', null, 'removed'],
    ['its own, deleted by itself', '10', true, 'none', null, 'own'],
    ['its own, there', '10', false, 'copy', null, 'own'],
    ['a copy with the new number', NEW, false, 'copy', NEW, 'compare'],
    ['a copy with the old number', '10', false, 'copy', NEW, 'compare'],
    ['metadata only', NEW, false, 'metadata', NEW, 'compare'],
    ['deleted, then replaced', '10', true, 'whiteout', NEW, 'replaced'],
    ['deleted, not replaced', NEW, true, 'whiteout', NEW, 'current'],
    ['deleted on both sides', '10', true, 'whiteout', null, 'removed'],
    ['in a directory of its own', '10', true, 'hidden', null, 'own'],
  ])('%s', (_, inode, deleted, upper, lowerInode, wanted) => {
    expect(judgeMapping({ inode, deleted, upper, lowerInode })).toBe(wanted);
  });

  property.prop([
    fc.constantFrom<UpperState>('copy', 'metadata'),
    fc.nat(),
    fc.nat(),
    fc.boolean(),
  ])('where the upper layer has a file no inode number decides', (upper, inode, lower, deleted) => {
    expect(judgeMapping({ inode: `${inode}`, deleted, upper, lowerInode: `${lower}` })).toBe(
      'compare',
    );
  });

  test('content: what a restart would not change is not stale', () => {
    expect(judgeContent({ sameAsLower: true, sameAsUpper: true })).toBe('current');
    expect(judgeContent({ sameAsLower: false, sameAsUpper: true })).toBe('own');
    expect(judgeContent({ sameAsLower: false, sameAsUpper: false })).toBe('replaced');
  });
});

describe('where a mapped file lies', () => {
  const mount = (point: string, device: string, root = '/'): Mount => ({
    ...{ point, device, root, fileSystem: 'overlay', options: '' },
  });
  const mounts = [
    mount('/', '0:46'),
    mount('/srv/data', '254:0', '/srv/volumes/a'),
    mount('/opt/jail', '0:46', '/usr/lib'),
  ];
  const devices = { overlay: '0:46', layers: ['254:0'] };
  test.each([
    ['the root', '/usr/lib/x.so', '0:46', '/usr/lib/x.so'],
    ['a volume', '/srv/data/x.so', '254:0', null],
    ['a bind mount of the root inside', '/opt/jail/x.so', '0:46', '/usr/lib/x.so'],
    ['a file that a volume was put over later', '/srv/data/x.so', '0:46', '/srv/data/x.so'],
    ['an older kernel, which shows the layer', '/usr/lib/x.so', '254:0', '/usr/lib/x.so'],
    ['an older kernel, in a bind mount', '/opt/jail/x.so', '254:0', '/usr/lib/x.so'],
    ['another file system', '/usr/lib/x.so', '0:99', null],
    ['an executable whose device is not known', '/usr/bin/x', null, '/usr/bin/x'],
    ['the same on a volume', '/srv/data/x', null, null],
  ])('%s', (_, path, device, wanted) => {
    expect(locateMapping(path, device, mounts, devices)).toBe(wanted);
  });
});

describe('an entry of the upper layer', () => {
  const directory: UpperEntry = { type: 'directory', opaque: false, redirect: null };
  const file: UpperEntry = { type: 'file', metadataOnly: false, redirect: null };
  test.each<[string, UpperEntry, LowerEntry | null, string]>([
    ['nothing below it', file, null, 'clean'],
    ['whiteout', { type: 'whiteout' }, { type: 'file' }, 'whiteout'],
    ['whiteout of what is gone below', { type: 'whiteout' }, null, 'clean'],
    ['two directories', directory, { type: 'directory' }, 'merge'],
    ['opaque', { ...directory, opaque: true }, { type: 'directory' }, 'opaque'],
    ['redirect', { ...directory, redirect: '/x' }, { type: 'directory' }, 'redirect'],
    ['directory over file', directory, { type: 'file' }, 'copy'],
    ['two files', file, { type: 'file' }, 'compare'],
    ['file over link', file, { type: 'symlink', target: 'x' }, 'copy'],
    ['metacopy', { ...file, metadataOnly: true }, { type: 'file' }, 'clean'],
    [
      'moved metacopy',
      { ...file, metadataOnly: true, redirect: 'x' },
      { type: 'file' },
      'redirect',
    ],
    ['same link', { type: 'symlink', target: 'x' }, { type: 'symlink', target: 'x' }, 'clean'],
    ['other link', { type: 'symlink', target: 'y' }, { type: 'symlink', target: 'x' }, 'symlink'],
    ['link over file', { type: 'symlink', target: 'y' }, { type: 'file' }, 'symlink'],
    ['a pipe', { type: 'other' }, { type: 'file' }, 'copy'],
  ])('%s', (_, upper, lower, wanted) => {
    const verdict = judgeEntry(upper, lower);
    expect(verdict.kind === 'shadow' ? verdict.as : verdict.kind).toBe(wanted);
  });
});

describe('processes and containers', () => {
  const process = (
    pid: number,
    parent: number,
    role: 'container' | 'monitor' | null,
    label = '',
    monitorOf: string | null = null,
  ): AssignableProcess => ({
    ...{ pid, parent, startTime: String(pid), monitorOf },
    cgroup: role === null ? null : { role, label },
  });
  const pidsOf = (found: ReturnType<typeof assignProcesses>, name: string) => {
    const entry = found.containers.get(name);
    return {
      init: entry?.init?.pid ?? null,
      members: entry?.members.map(({ pid }) => pid) ?? [],
      monitors: entry?.monitors.map(({ pid }) => pid) ?? [],
    };
  };

  test('a later life of web beside a container web-1: the monitors tell them apart', () => {
    const found = assignProcesses(
      [
        process(10, 1, 'monitor', 'web-1', 'web'),
        process(11, 10, 'container', 'web-1'),
        process(12, 11, 'container', 'web-1'),
        process(20, 1, 'monitor', 'web-1-1', 'web-1'),
        process(21, 20, 'container', 'web-1-1'),
        process(30, 1, null),
      ],
      new Set(['web', 'web-1']),
    );
    expect(pidsOf(found, 'web')).toEqual({ init: 11, members: [11, 12], monitors: [10] });
    expect(pidsOf(found, 'web-1')).toEqual({ init: 21, members: [21], monitors: [20] });
    expect(found.host.map(({ pid }) => pid)).toEqual([30]);
  });

  test('a process of a container that calls itself the monitor of another one is none', () => {
    const found = assignProcesses(
      [
        process(10, 1, 'monitor', 'web', 'web'),
        process(11, 10, 'container', 'web'),
        process(20, 1, 'monitor', 'web-1', 'web-1'),
        process(21, 20, 'container', 'web-1', 'web'),
        process(22, 21, 'container', 'web-1'),
      ],
      new Set(['web', 'web-1']),
    );
    expect(pidsOf(found, 'web')).toEqual({ init: 11, members: [11], monitors: [10] });
    expect(pidsOf(found, 'web-1')).toEqual({ init: 21, members: [21, 22], monitors: [20] });
  });

  test('without a monitor the label decides: a name that is known first', () => {
    const lone = [process(11, 1, 'container', 'web-1')];
    expect(pidsOf(assignProcesses(lone, new Set(['web', 'web-1'])), 'web-1').init).toBe(11);
    expect(pidsOf(assignProcesses(lone, new Set(['web'])), 'web').init).toBe(11);
  });

  test('init is what the monitor started, even where something older entered', () => {
    const found = assignProcesses(
      [
        process(5, 3, 'container', 'a'),
        process(10, 1, null, '', 'a'),
        process(11, 10, 'container', 'a'),
      ],
      new Set(['a']),
    );
    expect(pidsOf(found, 'a')).toEqual({ init: 11, members: [5, 11], monitors: [10] });
    expect(found.host).toEqual([]);
  });

  test('containers that were not asked for are neither listed nor the host’s', () => {
    const found = assignProcesses([process(11, 1, 'container', 'other')], new Set(['web']));
    expect([found.containers.size, found.host.length]).toEqual([0, 0]);
  });
});

describe('file lists', () => {
  const packaged = packagedPathsOf({
    lists: [
      { package: 'libx1', paths: ['/.', '/lib', '/lib/x.so.1', '/usr', '/usr/share/x', ''] },
      { package: 'dash', paths: ['/bin/sh', '/etc/x.conf'] },
      { package: 'mine', paths: ['/usr/bin/sh'] },
    ],
    conffiles: new Set(parseConffiles('/etc/x.conf\nremove-on-upgrade /etc/y.conf\n')),
    diversions: parseDiversions('/bin/sh\n/bin/sh.distrib\nmine\n'),
    aliases: new Map([
      ['/lib', '/usr/lib'],
      ['/bin', '/usr/bin'],
    ]),
    versions: new Map([['dash', '0.5']]),
  });

  test('paths are found by the name that files really have', () => {
    expect(packaged.packageOf('/usr/lib/x.so.1')).toBe('libx1');
    expect(packaged.packageOf('/lib/x.so.1')).toBeNull();
    expect(packaged.packageOf('/usr/bin/sh.distrib')).toBe('dash');
    expect(packaged.packageOf('/usr/bin/sh')).toBe('mine');
    expect(packaged.packageOf('/etc/x.conf')).toBeNull();
    expect(packaged.versionOf('dash')).toBe('0.5');
  });

  test('directories lead to everything below them', () => {
    expect([...packaged.inDirectory('/')].sort()).toEqual(['/usr']);
    expect(packaged.below('/usr').sort()).toEqual([
      '/usr/bin',
      '/usr/bin/sh',
      '/usr/bin/sh.distrib',
      '/usr/lib',
      '/usr/lib/x.so.1',
      '/usr/share',
      '/usr/share/x',
    ]);
    expect(packaged.inDirectory('/opt')).toEqual([]);
  });
});

describe('the verdict', () => {
  const base: ContainerScan = {
    name: 'web-01',
    instance: { bootId: 'b', initPid: 1, startTime: '1' },
    processes: 2,
    ...{ stale: [], shadowed: [], unreadable: [] },
  };
  const stale = {
    ...{ pid: 812, startTime: '9', command: 'nginx', path: '/usr/lib/libssl.so.3' },
    ...{ kind: 'replaced' as const, process: 'container' as const },
  };
  const shadowed = { path: '/usr/bin/x', kind: 'copy' as const, ownVersion: null, package: 'x' };
  const unreadable = { what: 'process 9 x', reason: 'EPERM' };

  test('the worst that is known; nothing is verified while something is unknown', () => {
    expect(verdictOf({ ...base, stale: [stale], unreadable: [unreadable] })).toBe('stale');
    expect(verdictOf({ ...base, shadowed: [shadowed], unreadable: [unreadable] })).toBe('shadowed');
    expect(verificationOf({ ...base, unreadable: [unreadable] })).toBe('unknown');
    expect(verificationOf(base)).toBe('verified');
    expect(verificationOf({ ...base, instance: null })).toBe('unknown');
  });

  test('the reason is one sentence', () => {
    expect(whyOf({ ...base, stale: [{ ...stale, process: 'monitor', pid: 7 }, stale] })).toBe(
      'process 812 nginx maps /usr/lib/libssl.so.3 from before the upgrade (and 1 more mapping)',
    );
    expect(whyOf({ ...base, shadowed: [shadowed, { ...shadowed, ownVersion: '2' }] })).toBe(
      "its own copy hides the host's /usr/bin/x (and 1 more file): a restart cannot fix it",
    );
    expect(whyOf({ ...base, unreadable: [unreadable] })).toBe('cannot read process 9 x: EPERM');
    expect(whyOf(base)).toBe('');
  });
});
