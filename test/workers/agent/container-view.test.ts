import { describe, expect, test } from '@jest/globals';
import type { ContainerView } from '../../../src/core/messages.ts';
import type { ShadowedFile, StaleFile } from '../../../src/core/observation.ts';
import type { RuntimeState } from '../../../src/host/runtime.ts';
import { containerView, viewLimits } from '../../../src/workers/agent/container-view.ts';
import type { Known } from '../../../src/workers/agent/container-view.ts';
import { maxReportBytes } from '../../../src/jobs/envelope.ts';

const instance = { bootId: 'b', initPid: 100, startTime: '1' };
const scan = { name: 'web-1', instance, processes: 3, stale: [], shadowed: [], unreadable: [] };

const known = (more: Partial<Known>): Known => ({
  container: {
    name: 'web-1',
    groups: [],
    address: null,
    autostart: false,
    root: { kind: 'host-overlay', lower: '/', upper: '/upper' },
  },
  state: { state: 'running', instance },
  scan,
  health: { health: 'healthy', reason: '' },
  optOut: null,
  parked: null,
  unhidden: [],
  ...more,
});

const down = (state: 'starting' | 'stopping' | 'aborting' | 'stopped'): RuntimeState => ({
  state,
  instance: null,
});

describe('what is told of the root of a container', () => {
  const seen = (root: Known['container']['root']) => {
    const { container } = known({});
    const view = containerView(known({ container: { ...container, root } }), null);
    return { onHostRoot: view.onHostRoot, oldForm: view.oldForm, rootNote: view.rootNote };
  };

  test('in the old form: that it is on the host root, what is wrong and what mends it', () => {
    const told = seen({ kind: 'host-overlay-old-keys', lower: '/', upper: '/upper' });
    expect(told).toMatchObject({ onHostRoot: false, oldForm: true });
    expect(told.rootNote).toContain('keys of LXC before 3');
    expect(told.rootNote).toContain('lxc-update-config -c /var/lib/lxc/web-1/config && sed');
  });

  test('of its own: which', () => {
    expect(seen({ kind: 'other', describe: 'dir:/srv/own' })).toEqual({
      ...{ onHostRoot: false, oldForm: false },
      rootNote: 'it does not stand on the host root: dir:/srv/own',
    });
  });
});

describe('what is told of the code in a container', () => {
  test.each<[string, Partial<Known>, string | undefined]>([
    ['scanned as it runs', {}, undefined],
    ['stopped: nothing runs in it', { state: down('stopped') }, undefined],
    ['without an answer of its runtime', { state: null }, 'its runtime does not answer'],
    ['on its way up', { state: down('starting') }, 'it is starting'],
    ['on its way down', { state: down('stopping') }, 'it is stopping'],
    ['never scanned', { scan: null }, 'it was not scanned yet'],
    [
      'scanned in a former life',
      { scan: { ...scan, instance: { ...instance, startTime: '0' } } },
      'it was not scanned yet',
    ],
  ])('%s', (_, more, reason) => {
    expect(containerView(known(more), null)).toMatchObject({
      stale: [],
      unreadable: reason === undefined ? [] : [{ what: 'container', reason }],
    });
  });

  test('a root that has nothing to do with the host says nothing', () => {
    const { container } = known({});
    const other = { ...container, root: { kind: 'other' } } as Known['container'];
    expect(containerView(known({ container: other, state: null }), null).unreadable).toEqual([]);
  });

  test('names each package of which it has files of its own, however many those are', () => {
    const own = (path: string, name: string): ShadowedFile => ({
      ...{ path, kind: 'copy', ownVersion: null, package: name },
    });
    const many = Array.from({ length: 200 }, (_, index) => own(`/usr/share/${index}`, 'docs'));
    const shadowed = [...many, own('/usr/lib/libssl.so.3', 'libssl3')];
    const told = containerView(known({ scan: { ...scan, shadowed } }), null).shadowed;
    expect(told.length).toBeLessThan(shadowed.length);
    expect(told).toContainEqual(shadowed.at(-1));
  });
});

describe('what may be told of a container', () => {
  const copy = (path: string, name: string): ShadowedFile => ({
    ...{ path, kind: 'copy', ownVersion: null, package: name },
  });
  const ofMany = (count: number, prefix = ''): ShadowedFile[] =>
    Array.from({ length: count }, (_, index) =>
      copy(`/usr/lib/${prefix}${index}`, `package-${index}`),
    );
  const staleFile: StaleFile = {
    ...{ pid: 7, startTime: '1', command: 'web', kind: 'replaced', process: 'container' },
    path: `/srv/${'ü'.repeat(4000)}`,
  };
  const bytesOf = (view: ContainerView): number => Buffer.byteLength(JSON.stringify(view));

  test('a host full of containers that name their files as long as they can fits into one report', () => {
    for (const count of [1, 20, 200, 900]) {
      const limits = viewLimits(count);
      const hostile: Partial<Known> = {
        unhidden: Array.from({ length: 9 }, () => '/root'),
        scan: {
          ...scan,
          stale: Array.from({ length: 300 }, () => staleFile),
          shadowed: ofMany(600, 'x'.repeat(4000)),
          unreadable: Array.from({ length: 300 }, () => ({
            what: `process 1: ${'\u0001'.repeat(3000)}`,
            reason: 'EACCES',
          })),
        },
      };
      const view = containerView(known(hostile), null, limits);
      expect(view.stale.length).toBeGreaterThan(0);
      expect(bytesOf(view) * count).toBeLessThan(maxReportBytes * 0.75);
    }
  });

  test('that not all packages with files of its own are named is said, so that none of it is believed current', () => {
    const shadowed = ofMany(600);
    const all = containerView(known({ scan: { ...scan, shadowed: ofMany(400) } }), null);
    expect(all.unreadable).toEqual([]);
    expect(all.shadowed).toHaveLength(400);
    const some = containerView(known({ scan: { ...scan, shadowed } }), null);
    expect(some.unreadable).toEqual([
      { what: 'files of its own', reason: 'those of 88 more packages are not told' },
    ]);
  });

  test('files of patched packages are told before all others', () => {
    const shadowed = [...ofMany(600), copy('/usr/lib/libssl.so.3', 'libssl3')];
    const limits = { ...viewLimits(900), patched: ['libssl3'] };
    const view = containerView(known({ scan: { ...scan, shadowed } }), null, limits);
    expect(view.shadowed[0]).toEqual(shadowed.at(-1));
  });

  test('usual findings are told whole', () => {
    const stale = [{ ...staleFile, path: '/usr/lib/libssl.so.3' }];
    const shadowed = [copy('/usr/lib/libz.so.1', 'zlib1g')];
    const unreadable = [{ what: 'process 3', reason: 'EACCES' }];
    const view = containerView(
      known({ scan: { ...scan, stale, shadowed, unreadable } }),
      null,
      viewLimits(900),
    );
    expect(view).toMatchObject({ stale, shadowed, unreadable });
  });
});
