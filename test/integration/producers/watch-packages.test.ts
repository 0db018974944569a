import { chown, mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { execa } from 'execa';
import type { InstalledPackage } from '../../../src/core/packages.ts';
import { dpkgDatabase } from '../../../src/host/apt/apt-manager.ts';
import { readSpool } from '../../../src/producers/packages/read-spool.ts';
import { watchPackages } from '../../../src/producers/watch-packages.ts';
import type { PackageWatcher, PackageWatchOptions } from '../../../src/producers/watch-packages.ts';
import { waitUntil } from '../../bed/wait-until.ts';
import { needsRoot } from '../needs-root.ts';

let root: string;
let spool: string;
let saved: InstalledPackage[] | null;
let log: string[];
let watchers: PackageWatcher[];

const IDLE_MS = 300;
const status = (versions: Record<string, string>, words = 'install ok installed'): Promise<void> =>
  writeFile(
    join(root, 'var/lib/dpkg/status'),
    Object.entries(versions)
      .map(
        ([name, one]) =>
          `Package: ${name}\nStatus: ${words}\nArchitecture: all\nVersion: ${one}\n\n`,
      )
      .join(''),
  );
const installed = (name: string, version: string): InstalledPackage => ({
  ...{ name, arch: 'all', version, source: name, sourceVersion: version },
});
const hook = (): Promise<unknown> =>
  execa('packaging/hooks/groundswell-hook', ['post-invoke', spool]);

const start = async (options: Partial<PackageWatchOptions> = {}): Promise<PackageWatcher> => {
  const watcher = await watchPackages({
    ...{ database: dpkgDatabase(root), spoolDirectory: spool, spoolOwner: 0, suspended: false },
    store: {
      load: () => Promise.resolve(saved),
      save: (inventory) => {
        saved = inventory;
        log.push('saved');
        return Promise.resolve();
      },
    },
    clocks: { monotonicMs: () => performance.now(), wallMs: () => Date.now() },
    ...{ idleMs: IDLE_MS, pollMs: 60_000, openPollMs: 20, compareMs: 600_000 },
    onTransaction: ({ changes }) => {
      log.push(
        changes.map(({ name, from, to }) => `${name} ${from ?? '-'}>${to ?? '-'}`).join(' '),
      );
      return Promise.resolve();
    },
    onOpen: (reason) => log.push(`open: ${reason}`),
    onQuiet: () => log.push('quiet'),
    onRefused: ({ path, reason }) => log.push(`refused ${path.slice(spool.length + 1)}: ${reason}`),
    onError: (error) => log.push(`error ${String(error)}`),
    ...options,
  });
  watchers.push(watcher);
  return watcher;
};
const logged = (line: string, times = 1): Promise<unknown> =>
  waitUntil(
    `${line} in ${JSON.stringify(log)}`,
    () => log.filter((one) => one === line).length >= times,
    {
      deadlineMs: 8000,
    },
  ).catch((error: unknown) => {
    throw new Error(`${line} is not in ${JSON.stringify(log)}`, { cause: error });
  });

const spoolEmpty = (): Promise<unknown> =>
  waitUntil('the spool to be empty', async () => (await readdir(spool)).length === 0, {
    deadlineMs: 5000,
  });

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'gs-watch-'));
  spool = join(root, 'spool');
  await mkdir(spool);
  await mkdir(join(root, 'var/lib/dpkg'), { recursive: true });
  await status({ a: '1', b: '1' });
  const long = new Date(Date.now() - 3_600_000);
  await utimes(join(root, 'var/lib/dpkg/status'), long, long);
  saved = null;
  log = [];
  watchers = [];
});
afterEach(async () => {
  await Promise.all(watchers.map((watcher) => watcher.stop()));
  await rm(root, { recursive: true, force: true });
});

needsRoot(describe)('package transactions of others', () => {
  test('the first inventory is kept, and tells of no transaction', async () => {
    await start();
    await logged('quiet');
    expect(saved?.map(({ name, version }) => `${name} ${version}`)).toEqual(['a 1', 'b 1']);
    expect(log).toEqual(['saved', 'quiet']);
  });

  test('many hook calls with pauses shorter than idle: one transaction', async () => {
    await start({ idleMs: 1500 });
    await logged('saved');
    for (const version of ['2', '3', '4']) {
      await hook();
      await status({ a: version, b: '1' });
      await hook();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await logged('saved', 2);
    expect(log.filter((line) => line.includes('>'))).toEqual(['a 1>4']);
    expect(log.indexOf('a 1>4')).toBeLessThan(log.lastIndexOf('saved'));
    await spoolEmpty();
  });

  test('hooks alone, as in a dry run, cause nothing', async () => {
    await start();
    await logged('saved');
    await hook();
    await logged('quiet', 2);
    expect(log.filter((line) => line.includes('>'))).toEqual([]);
    await spoolEmpty();
  });

  test('without any hook, by looking at the database now and then', async () => {
    await start({ pollMs: 50 });
    await logged('saved');
    await status({ a: '1' });
    await logged('b 1>-');
  });

  test('one that begins while another is told of is told of too, without a hook', async () => {
    saved = [installed('a', '0'), installed('b', '1')];
    await start({
      onTransaction: async ({ changes }) => {
        const [change] = changes;
        log.push(`told ${change?.from ?? '-'}>${change?.to ?? '-'}`);
        if (change?.to === '1') await status({ a: '2', b: '1' });
      },
    });
    await logged('told 0>1');
    await logged('told 1>2');
  });

  test('nothing is told while a package is in a half state', async () => {
    await start({ pollMs: 50 });
    await logged('saved');
    await status({ a: '2', b: '1' }, 'install ok half-configured');
    await logged('open: a:all is half-configured, wanted: install (and 1 more)');
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS * 2));
    expect(log.filter((line) => line.includes('>'))).toEqual([]);
    await status({ a: '2', b: '1' });
    await logged('a 1>2');
  });

  test('a spool that is deleted and made anew is watched again', async () => {
    await start({ pollMs: 100 });
    await logged('saved');
    await rm(spool, { recursive: true });
    await new Promise((resolve) => setTimeout(resolve, 250));
    await mkdir(spool);
    await hook();
    await logged('quiet', 2);
  });
});

needsRoot(describe)('nothing is forgotten', () => {
  test('what happened while nobody watched is found at the start', async () => {
    const first = await start();
    await logged('saved');
    await first.stop();
    await status({ a: '1', b: '2', c: '1' });
    await start();
    await logged('b 1>2 c ->1');
  });

  test.each([
    ['a dry run', true],
    ['nothing at all', false],
  ])(
    'what a former process may have seen begin is over, as is told at the start: %s',
    async (_, ran) => {
      saved = ['a', 'b'].map((name) => ({
        ...{ name, arch: 'all', version: '1', source: name, sourceVersion: '1' },
      }));
      if (ran) {
        await hook();
        const long = new Date(Date.now() - 60_000);
        for (const name of await readdir(spool)) await utimes(join(spool, name), long, long);
      }
      await start();
      await logged('quiet');
      expect(log).toEqual(['quiet']);
      await spoolEmpty();
    },
  );

  test('told again when telling or saving failed; spool files stay until then', async () => {
    const failing = { count: 0 };
    await start({
      pollMs: 50,
      onTransaction: ({ changes }) => {
        failing.count += 1;
        log.push(`told ${changes.length}`);
        return failing.count < 3 ? Promise.reject(new Error('no')) : Promise.resolve();
      },
    });
    await logged('saved');
    await hook();
    await status({ a: '2', b: '1' });
    await logged('told 1');
    expect(await readdir(spool)).toHaveLength(1);
    await logged('saved', 2);
    expect(failing.count).toBe(3);
    await spoolEmpty();
  });
});

needsRoot(describe)('our own upgrades', () => {
  test('are not told; what else happened meanwhile is', async () => {
    const watcher = await start();
    await logged('quiet');
    await watcher.suspend();
    await hook();
    await status({ a: '2', b: '1' });
    const own = [{ name: 'a', arch: 'all', source: 'a', from: '1', to: '2' }];
    await watcher.resume(own);
    expect(log).toEqual(['saved', 'quiet', 'saved']);
    expect(await readdir(spool)).toEqual([]);
    await watcher.suspend();
    await status({ a: '3', b: '9' });
    await watcher.resume([{ ...own[0], name: 'a', arch: 'all', source: 'a', from: '2', to: '3' }]);
    await logged('b 1>9');
    expect(log.filter((line) => line.startsWith('a '))).toEqual([]);
  });

  test('begun suspended, nothing is told before resume', async () => {
    saved = [installed('a', '0')];
    const watcher = await start({ suspended: true, pollMs: 20 });
    await hook();
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS * 2));
    expect(log).toEqual([]);
    await watcher.resume([]);
    await logged('a 0>1 b ->1');
  });
});

needsRoot(test)(
  'links, foreign, oversized and garbage files are refused and set aside',
  async () => {
    const at = (name: string): string => join(spool, name);
    const good = 'groundswell-hook 1 post-invoke \n';
    await writeFile(join(root, 'secret'), good);
    await symlink(join(root, 'secret'), at('link'));
    await writeFile(at('.foreign'), good);
    await chown(at('.foreign'), 12345, 0);
    await writeFile(at('garbage'), 'what is this');
    await execa('truncate', ['-s', '9M', at('big')]);
    await execa('mkfifo', [at('pipe')]);
    await mkdir(at('directory'));
    await start();
    await logged('quiet');
    await hook();
    await logged('quiet', 2);
    const refused = log.filter((line) => line.startsWith('refused')).sort();
    expect([...new Set(refused)]).toEqual([
      'refused .foreign: it belongs to user 12345, not 0',
      'refused big: it has 9437184 bytes',
      'refused directory: it is no regular file',
      'refused garbage: it does not begin as the hook writes it',
      'refused link: it is a link',
      'refused pipe: it is no regular file',
    ]);
    expect(await readdir(spool)).toEqual(['.refused']);
  },
);

needsRoot(test)(
  'what a hook is still writing is left to it; what one left long ago goes',
  async () => {
    const at = (name: string): string => join(spool, name);
    await writeFile(at('.post-transaction.100.5.01'), '');
    await writeFile(at('.pre-install-pkgs.101.5.02'), 'groundsw');
    await writeFile(at('.post-invoke.102.5.03'), '');
    const longAgo = new Date(Date.now() - 2 * 60 * 60 * 1000);
    await utimes(at('.post-invoke.102.5.03'), longAgo, longAgo);
    await symlink('/etc/passwd', at('.post-invoke.103.5.04'));
    const path = at('.post-invoke.103.5.04');
    expect(await readSpool({ directory: spool, owner: 0 })).toEqual({
      files: [],
      refused: [{ path, reason: 'it is a link' }],
    });
    expect((await readdir(spool)).sort()).toEqual([
      '.post-transaction.100.5.01',
      '.pre-install-pkgs.101.5.02',
      '.refused',
    ]);
  },
);
