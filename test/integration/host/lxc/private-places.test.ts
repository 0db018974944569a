import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { execa } from 'execa';
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findUnhidden } from '../../../../src/host/lxc/provision/find-unhidden.ts';
import { hidePrivateDirectories } from '../../../../src/host/lxc/provision/hide-private.ts';
import { readOverlayMarks } from '../../../../src/host/lxc/provision/overlay-marks.ts';
import { privateDirectories } from '../../../../src/host/lxc/provision/private-directories.ts';
import { writeContainers } from '../../../../src/host/lxc/provision/write-containers.ts';
import type { RuntimeState } from '../../../../src/host/runtime.ts';
import { needsRoot } from '../../needs-root.ts';

/** Part of this machine, since hidden is what lies at the host's own paths; not below /tmp, which is hidden as a whole. */
let here: string;
beforeEach(async () => {
  here = await mkdtemp('/var/tmp/gs-private-');
  await mkdir(join(here, 'lxc'));
});
afterEach(() => rm(here, { recursive: true }));

const put = async (path: string, text = 'secret\n'): Promise<void> => {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
};
/** As `chown` in a container does with metacopy on: the content is the lower layer's. */
const markAsMetacopy = async (path: string): Promise<void> => {
  const script = 'import os, sys; os.setxattr(sys.argv[1], "trusted.overlay.metacopy", b"")';
  await execa('python3', ['-c', script, path]);
};
const places = (...own: string[]) => ({
  lxcPath: join(here, 'lxc'),
  own: own.map((path) => join(here, path)),
});
const pathsOf = async (...own: string[]): Promise<string[]> =>
  (await privateDirectories(places(...own)))
    .map(({ path }) => path)
    .filter((path) => path.startsWith(here))
    .map((path) => path.slice(here.length + 1));

describe('which directories are private', () => {
  test('the usual ones always, for what was there before it was configured otherwise', async () => {
    const usual = (await privateDirectories(places())).map(({ path }) => path);
    expect(usual).toEqual(
      expect.arrayContaining([
        '/etc/groundswell',
        '/var/lib/groundswell',
        '/var/spool/groundswell',
      ]),
    );
    expect(await pathsOf('data', 'spool')).toEqual(['lxc', 'data', 'spool']);
  });

  test('what links lead to as well, and the link; of a file, too', async () => {
    await put(join(here, 'disk/gs/agent/keys.json'));
    await put(join(here, 'disk/gs.yaml'));
    await symlink('disk', join(here, 'srv'));
    await symlink('disk/gs', join(here, 'data'));
    await symlink(join(here, 'disk/gs.yaml'), join(here, 'config.yaml'));
    expect(await pathsOf('data', 'config.yaml')).toEqual([
      ...['lxc', 'data', 'disk/gs', 'config.yaml', 'disk/gs.yaml'],
    ]);
    expect(await pathsOf('srv/gs')).toEqual(['lxc', 'disk/gs']);
    // Nothing is there yet: a directory at `srv` would take the link away from the container.
    expect(await pathsOf('srv/new/data')).toEqual(['lxc', 'disk/new/data']);
  });

  test('but not what lies below another, nor one way of spelling and another', async () => {
    expect(await pathsOf('data/spool', 'data', 'lxc/of-ours', 'other/', 'data/../other')).toEqual([
      ...['lxc', 'data', 'other'],
    ]);
    const found = await privateDirectories({
      lxcPath: '/var/lib/lxc',
      own: ['/root/gs', '/etc/groundswell/x.yaml'],
    });
    expect(found.map(({ path }) => path).filter((path) => /gs|x.yaml/.test(path))).toEqual([]);
  });
});

needsRoot(describe)('configured directories', () => {
  const down = () => Promise.resolve({ state: 'stopped' as const, instance: null });
  const upperOf = (name: string): string => join(here, 'lxc', name, 'delta0');
  const rooted = (name: string) => ({
    name,
    root: { kind: 'host-overlay' as const, lower: '/', upper: upperOf(name) },
  });
  const isOpaque = async (path: string): Promise<boolean> =>
    (await readOverlayMarks([path])).get(path)?.has('opaque') ?? false;

  test('are hidden in new containers', async () => {
    const where = places('data', 'spool', 'gs.yaml');
    await put(join(here, 'data/agent/keys.json'));
    await chmod(join(here, 'data'), 0o700);
    await put(join(here, 'gs.yaml'));
    await writeContainers(where, [{ name: 'web-01', config: '' }], null);
    const inside = join(upperOf('web-01'), here);
    expect((await readdir(inside)).sort()).toEqual(['data', 'gs.yaml', 'lxc', 'spool']);
    for (const name of ['data', 'gs.yaml', 'spool']) {
      expect(await isOpaque(join(inside, name))).toBe(true);
      expect(await readdir(join(inside, name))).toEqual([]);
      expect((await lstat(join(inside, name))).mode & 0o777).toBe(0o700);
    }
    expect(await findUnhidden([rooted('web-01')], where)).toEqual([]);
  });

  test('are found open, and hidden, in one that was made while they were elsewhere', async () => {
    await writeContainers(places(), [{ name: 'web-01', config: '' }], null);
    const where = places('data', 'gs.yaml');
    await put(join(upperOf('web-01'), here, 'data/own'), 'mine\n');
    const open = [join(here, 'data'), join(here, 'gs.yaml')];
    expect(await findUnhidden([rooted('web-01')], where)).toEqual([
      { name: 'web-01', paths: open },
    ]);
    const hide = () => hidePrivateDirectories(rooted('web-01'), { places: where, state: down });
    expect(await hide()).toEqual(open);
    expect(await hide()).toEqual([]);
    expect(await readdir(join(upperOf('web-01'), here, 'data'))).toEqual(['own']);
    expect(await findUnhidden([rooted('web-01')], where)).toEqual([]);
  });

  test.each<RuntimeState>([
    { state: 'running', instance: { bootId: 'b', initPid: 1, startTime: '1' } },
    { state: 'stopping', instance: null },
    { state: 'gone', instance: null },
  ])(
    'are not hidden in one that is $state: its upper layer is ours only while it is down',
    async (now) => {
      await writeContainers(places(), [{ name: 'web-01', config: '' }], null);
      const before = await readdir(upperOf('web-01'), { recursive: true });
      const hiding = hidePrivateDirectories(rooted('web-01'), {
        ...{ places: places('data'), state: () => Promise.resolve(now) },
      });
      await expect(hiding).rejects.toThrow(
        `is ${now.state}: directories are hidden while it is down`,
      );
      expect(await readdir(upperOf('web-01'), { recursive: true })).toEqual(before);
    },
  );

  test('a file of the container’s own in the place of one hides it, unless it borrows the content', async () => {
    const where = places('gs.yaml');
    await writeContainers(places(), [{ name: 'web-01', config: '' }], null);
    const own = join(upperOf('web-01'), here, 'gs.yaml');
    await put(own, 'mine\n');
    expect(await findUnhidden([rooted('web-01')], where)).toEqual([]);

    await markAsMetacopy(own);
    expect(await findUnhidden([rooted('web-01')], where)).toEqual([
      { name: 'web-01', paths: [join(here, 'gs.yaml')] },
    ]);
    await hidePrivateDirectories(rooted('web-01'), { places: where, state: down });
    expect(await isOpaque(own)).toBe(true);
    expect(await readdir(own)).toEqual([]);
  });

  /** As large as no memory is; it takes no room. */
  const putHuge = async (path: string): Promise<void> => {
    await put(path, '');
    await truncate(path, 2 ** 42);
  };

  test('a file of terabytes in the place of one is looked at, and not read', async () => {
    const where = places('gs.yaml', 'data');
    await writeContainers(places(), [{ name: 'web-01', config: '' }], null);
    await putHuge(join(upperOf('web-01'), here, 'gs.yaml'));
    const open = [{ name: 'web-01', paths: [join(here, 'data')] }];
    expect(await findUnhidden([rooted('web-01')], where)).toEqual(open);
    await hidePrivateDirectories(rooted('web-01'), { places: where, state: down });
    expect(await findUnhidden([rooted('web-01')], where)).toEqual([]);
  });

  test('what the container has there may be of any size', async () => {
    const where = places('data');
    await writeContainers(places(), [{ name: 'web-01', config: '' }], null);
    const own = join(upperOf('web-01'), here, 'data');
    await putHuge(join(own, 'deep/huge'));
    await hidePrivateDirectories(rooted('web-01'), { places: where, state: down });
    expect(await isOpaque(own)).toBe(true);
    expect((await lstat(join(own, 'deep/huge'))).size).toBe(2 ** 42);
  });

  test('one that cannot be hidden keeps no other one open', async () => {
    const where = places('data', 'spool');
    await writeContainers(places(), [{ name: 'web-01', config: '' }], null);
    const upper = join(upperOf('web-01'), here);
    await put(join(upper, 'data/borrowed'));
    await markAsMetacopy(join(upper, 'data/borrowed'));
    const hiding = hidePrivateDirectories(rooted('web-01'), { places: where, state: down });
    const path = join(here, 'data');
    await expect(hiding).rejects.toThrow(
      `container web-01: it can still look into ${path} of the host; ${upper}/data/borrowed borrows its content`,
    );
    expect(await findUnhidden([rooted('web-01')], where)).toEqual([
      { name: 'web-01', paths: [path] },
    ]);
    expect(await isOpaque(join(upper, 'spool'))).toBe(true);
    expect(await readdir(join(upper, 'data'))).toEqual(['borrowed']);
  });
});
