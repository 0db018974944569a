import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ContainerScan } from '../../../src/core/observation.ts';
import { verificationOf } from '../../../src/core/stale/verdict.ts';
import { parseMountinfo } from '../../../src/core/stale/parse-mountinfo.ts';
import { packagedPathsOf } from '../../../src/core/stale/packaged-paths.ts';
import type { OverlayXattrs } from '../../../src/host/proc/overlay-xattrs.ts';
import { containerProgramsMemory } from '../../../src/host/proc/container-programs.ts';
import { DEFAULT_EFFORT_LIMITS, effortKeeper } from '../../../src/host/proc/effort.ts';
import { openLowerLayer } from '../../../src/host/proc/lower-layer.ts';
import { mergedRoot, sharedRoot } from '../../../src/host/proc/merged-root.ts';
import { wordsChild } from '../../../src/host/proc/program-child.ts';
import type { SourceView } from '../../../src/host/proc/program-sources.ts';
import {
  beginContainerScan,
  beginHostScan,
  scanContainer,
  scanHost,
  stillStale,
} from '../../../src/host/proc/scan-host.ts';
import type { ScanOptions } from '../../../src/host/proc/scan-surroundings.ts';
import { createScanMemory } from '../../../src/host/proc/scan-surroundings.ts';
import { openUpperLayer } from '../../../src/host/proc/upper-layer.ts';
import type { UpperLayer } from '../../../src/host/proc/upper-layer.ts';

const none: OverlayXattrs = { opaque: null, redirect: null, metacopy: false, whiteout: false };
const HOUR_MS = 3_600_000;
const UPTIME_S = 100_000;
const INIT = 10;
const PROGRAM = 11;
const OVERLAY = '0:42';

let top: string;
let attributes: Record<string, Partial<OverlayXattrs>>;

beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'gs-sources-'));
  for (const directory of ['lower', 'upper', 'proc/self/ns', 'proc/sys/kernel/random'])
    mkdirSync(join(top, directory), { recursive: true });
  writeFileSync(join(top, 'proc/uptime'), `${UPTIME_S}.00 1.00\n`);
  symlinkSync('mnt:[1]', join(top, 'proc/self/ns/mnt'));
  writeFileSync(join(top, 'proc/self/mountinfo'), '1 0 8:1 / / rw - ext4 /dev/x rw\n');
  attributes = {};
});
afterEach(() => {
  rmSync(top, { recursive: true });
});

const put = (layer: 'lower' | 'upper' | 'outside', path: string, text = ''): void => {
  mkdirSync(dirname(join(top, layer, path)), { recursive: true });
  writeFileSync(join(top, layer, path), text);
};
const link = (layer: 'lower' | 'upper', target: string, path: string): void => {
  mkdirSync(dirname(join(top, layer, path)), { recursive: true });
  symlinkSync(target, join(top, layer, path));
};

interface Program {
  exe: string;
  argv: string[];
  cwd?: string;
  environ?: string[];
  fds?: string[];
  pid?: number;
  /** Hours after its container. */
  later?: number;
}

/** A process that maps its program alone; that one lies in the lower layer, and is never stale. */
const run = (
  { exe, argv, cwd = '/srv/app', environ = [], fds = [], pid = PROGRAM, later = 0 }: Program,
  parent = INIT,
  container = 'web-1',
): void => {
  const proc = join(top, 'proc', String(pid));
  rmSync(proc, { recursive: true, force: true });
  mkdirSync(join(proc, 'fd'), { recursive: true });
  mkdirSync(join(proc, 'ns'));
  if (statSync(join(top, 'lower', exe), { throwIfNoEntry: false }) === undefined) put('lower', exe);
  const { ino } = statSync(join(top, 'lower', exe), { bigint: true });
  const start = UPTIME_S * 100 - 4 * HOUR_MS * 0.1 + later * HOUR_MS * 0.1;
  const fields = ['S', parent, 1, 1, 0, 0, 0, ...Array.from({ length: 12 }, () => 0), start, 0];
  writeFileSync(join(proc, 'stat'), `${pid} (${argv[0] ?? ''}) ${fields.join(' ')}\n`);
  writeFileSync(join(proc, 'cgroup'), `0::/lxc.payload.${container}/x\n`);
  const volume = '3 2 8:1 /volume /srv/volume rw - ext4 /dev/x rw\n';
  const root = `2 1 ${OVERLAY} / / rw - overlay overlay rw\n`;
  writeFileSync(join(proc, 'mountinfo'), root + volume);
  writeFileSync(join(proc, 'maps'), `1000-2000 r-xp 00000000 00:2a ${ino} ${exe}\n`);
  writeFileSync(join(proc, 'cmdline'), argv.map((word) => `${word}\0`).join(''));
  writeFileSync(join(proc, 'environ'), environ.map((one) => `${one}\0`).join(''));
  symlinkSync(`mnt:[${container}]`, join(proc, 'ns/mnt'));
  symlinkSync(exe, join(proc, 'exe'));
  symlinkSync(cwd, join(proc, 'cwd'));
  // Whoever opens a path through it finds the files of this very machine.
  symlinkSync('/', join(proc, 'root'));
  fds.forEach((target, at) => {
    symlinkSync(target, join(proc, 'fd', String(at)));
  });
};

type When = 'replaced' | 'started after' | 'clock was set back';

/** Containers start four hours before the present: all files are changed after that, or before, or in the future. */
const options = (when: When): ScanOptions => {
  const wall = { replaced: 1_000, 'started after': 8 * HOUR_MS, 'clock was set back': -HOUR_MS };
  const present = Date.now() + wall[when];
  return {
    containers: [{ name: 'web-1', lower: join(top, 'lower'), upper: join(top, 'upper') }],
    procRoot: join(top, 'proc'),
    packagedPaths: () =>
      packagedPathsOf({
        ...{ lists: [], conffiles: new Set(), diversions: [], aliases: new Map() },
        versions: new Map(),
      }),
    memory: {
      ...createScanMemory(),
      xattrs: {
        prefetch: () => undefined,
        read: ({ path }) => ({ ...none, ...attributes[path.slice(top.length + '/upper'.length)] }),
      },
    },
    wallNow: () => present,
  };
};
const start = (program: Program): void => {
  run({ exe: '/usr/bin/tini', argv: ['tini'], pid: INIT }, 1);
  run(program);
};
const scan = (when: When): Promise<ContainerScan> => scanContainer('web-1', options(when));
const stale = async (when: When = 'replaced'): Promise<string[]> => {
  const found = await scan(when);
  expect(found.unreadable).toEqual([]);
  return found.stale.map(({ path }) => path).sort();
};

const python = (argv: string[] = ['main.py'], more: Partial<Program> = {}): Program => ({
  ...{ exe: '/usr/bin/python3.11', argv: ['python3', ...argv] },
  ...more,
});

describe('programs of containers that are made of files of the host', () => {
  const programs: Record<string, [Program, script: [string, string], modules: string[]]> = {
    Python: [
      python(),
      ['/srv/app/main.py', 'import yaml\nimport gone\n'],
      ['/usr/lib/python3/dist-packages/yaml/__init__.py'],
    ],
    Perl: [
      { exe: '/usr/bin/perl', argv: ['perl', 'main.pl'] },
      ['/srv/app/main.pl', 'use strict;\nuse JSON::PP;\n'],
      ['/usr/share/perl/5.36/JSON/PP.pm'],
    ],
    Ruby: [
      { exe: '/usr/bin/ruby3.1', argv: ['ruby', '/srv/app/main.rb'] },
      ['/srv/app/main.rb', "require 'json/common'\n"],
      ['/usr/lib/ruby/3.1.0/json/common.rb'],
    ],
    PHP: [
      { exe: '/usr/bin/php8.2', argv: ['php', 'main.php'] },
      ['/srv/app/main.php', "<?php\nrequire_once 'Log.php';\nuse Psr\\Log\\NullLogger;\n"],
      ['/usr/share/php/Log.php', '/usr/share/php/Psr/Log/NullLogger.php'],
    ],
    Node: [
      { exe: '/usr/bin/node', argv: ['node', 'main.js'] },
      ['/srv/app/main.js', "const s = require('semver'), fs = require('fs');\n"],
      ['/usr/share/nodejs/semver/index.js'],
    ],
    Java: [
      {
        exe: '/usr/lib/jvm/x/bin/java',
        argv: ['java'],
        fds: ['/usr/share/java/a.jar', 'pipe:[1]'],
      },
      ['/srv/app/unopened.jar', ''],
      ['/usr/share/java/a.jar'],
    ],
  };

  describe.each(Object.entries(programs))('%s', (_, [program, script, modules]) => {
    beforeEach(() => {
      put('upper', ...script);
      for (const path of modules) put('lower', path);
    });

    test('a module that was replaced since its container was started makes it stale, by name', async () => {
      start(program);
      const { pid = PROGRAM, argv } = program;
      expect((await scan('replaced')).stale).toEqual(
        modules.map((path) => ({
          ...{ pid, startTime: expect.any(String), command: argv[0], path },
          ...{ kind: 'replaced', process: 'container' },
        })),
      );
    });

    test('a container that was started after that is clean', async () => {
      start(program);
      expect(await stale('started after')).toEqual([]);
    });

    test('a copy of its own is its own', async () => {
      for (const path of modules) put('upper', path, 'own');
      start(program);
      expect(await stale()).toEqual([]);
    });
  });

  beforeEach(() => {
    put('upper', '/srv/app/main.py', 'import yaml\n');
  });

  test('modules of modules are followed, in either layer, and links as the container has them', async () => {
    put('upper', '/srv/app/main.py', 'import own\n');
    put('upper', '/opt/own/own.py', 'from a import b\n');
    link('upper', '../../opt/own/own.py', '/srv/app/own.py');
    put('lower', '/usr/share/a/__init__.py');
    put('lower', '/usr/share/a/b.py', 'import c\n');
    put('lower', '/usr/share/a/unused.py');
    link('lower', '../../../share/a', '/usr/lib/python3/dist-packages/a');
    put('lower', '/usr/lib/python3.11/c.py');
    link('lower', 'usr/lib', '/lib');
    start(python());
    expect(await stale()).toEqual([
      ...['/usr/lib/python3.11/c.py', '/usr/share/a/__init__.py', '/usr/share/a/b.py'],
    ]);
  });

  test('what its program found first in a package of its own is not searched for in the host', async () => {
    put('lower', '/usr/lib/python3/dist-packages/yaml/__init__.py');
    put('upper', '/usr/local/lib/python3.11/dist-packages/yaml.py');
    start(python());
    expect(await stale()).toEqual([]);
  });

  test('nor what a virtual environment of its own has', async () => {
    put('lower', '/usr/lib/python3/dist-packages/yaml/__init__.py');
    put('upper', '/srv/venv/lib/python3.11/site-packages/yaml/__init__.py');
    const program = python();
    start({ ...program, argv: ['/srv/venv/bin/python3', 'main.py'] });
    expect(await stale()).toEqual([]);
    start(program);
    expect(await stale()).toEqual(['/usr/lib/python3/dist-packages/yaml/__init__.py']);
  });

  test('what an opaque or moved directory hides is not read, and what is deleted neither', async () => {
    put('lower', '/usr/lib/python3/dist-packages/yaml/__init__.py');
    mkdirSync(join(top, 'upper/usr/lib/python3/dist-packages/yaml'), { recursive: true });
    start(python());
    expect(await stale()).toEqual(['/usr/lib/python3/dist-packages/yaml/__init__.py']);
    attributes = { '/usr/lib/python3/dist-packages/yaml': { opaque: 'y' } };
    expect(await stale()).toEqual([]);
    attributes = { '/usr/lib': { redirect: '/usr/other' } };
    expect(await stale()).toEqual([]);
  });

  test('attributes that cannot be read leave it unknown, and only where a file was replaced', async () => {
    put('lower', '/opt/lib/yaml.py');
    put('upper', '/opt/lib/x');
    start(python(['main.py'], { environ: ['PYTHONPATH=/opt/lib'] }));
    const xattrs = { prefetch: () => undefined, read: () => ({ reason: 'not to be read' }) };
    const blind = (when: When): ScanOptions => ({
      ...options(when),
      memory: { ...createScanMemory(), xattrs },
    });
    expect((await scanContainer('web-1', blind('started after'))).unreadable).toEqual([]);
    const found = await scanContainer('web-1', blind('replaced'));
    expect(found.stale).toEqual([]);
    expect(found.unreadable).toEqual([
      {
        what: `process ${PROGRAM} python3: /opt/lib/yaml.py`,
        reason: '/opt: not to be read',
      },
    ]);
  });

  test('a program that was started late may still be shown the old file; a time to come counts not', async () => {
    put('lower', '/usr/lib/python3/dist-packages/yaml/__init__.py');
    start(python(['main.py'], { later: 3.9 }));
    expect(await stale()).toEqual(['/usr/lib/python3/dist-packages/yaml/__init__.py']);
    expect(await stale('clock was set back')).toEqual([]);
  });

  test('a look at its processes alone finds the same, and a restart clears it', async () => {
    put('lower', '/usr/lib/python3/dist-packages/yaml/__init__.py');
    start(python());
    const replaced = options('replaced');
    const found = await scanContainer('web-1', replaced);
    const [container] = replaced.containers;
    const { memory } = replaced;
    if (container === undefined || memory === undefined) throw new Error('no container');
    expect(stillStale(found, container, replaced)).toBe(true);
    expect(stillStale(found, container, { ...options('started after'), memory })).toBe(false);
    run({ exe: '/usr/bin/tini', argv: ['tini'], pid: INIT, later: 1 }, 1);
    expect(stillStale(found, container, replaced)).toBe(false);
  });

  test('a script on a volume, in a chroot or of another interpreter is none of ours', async () => {
    put('lower', '/usr/lib/python3/dist-packages/yaml/__init__.py');
    put('upper', '/srv/volume/main.py', 'import yaml\n');
    start(python(['/srv/volume/main.py']));
    expect(await stale()).toEqual([]);
    start(python());
    rmSync(join(top, `proc/${PROGRAM}/root`));
    symlinkSync('/srv/jail', join(top, `proc/${PROGRAM}/root`));
    expect(await stale()).toEqual([]);
    start({ ...python(), exe: '/opt/tools/python3' });
    expect(await stale()).toEqual([]);
  });

  test('processes of one program are told alike, and no more than some of its files are named', async () => {
    const names = Array.from({ length: 40 }, (_, at) => `m${at}`);
    put('upper', '/srv/app/main.py', names.map((name) => `import ${name}\n`).join(''));
    for (const name of names) put('lower', `/usr/lib/python3.11/${name}.py`);
    start(python());
    run({ ...python(), pid: PROGRAM + 1 });
    const found = (await scan('replaced')).stale;
    expect(found.filter(({ pid }) => pid === PROGRAM)).toHaveLength(10);
    expect(found.filter(({ pid }) => pid === PROGRAM + 1)).toHaveLength(10);
  });
});

describe('a container that means harm', () => {
  const bait = '/usr/lib/python3/dist-packages/bait.py';

  beforeEach(() => {
    put('lower', bait);
    put('outside', '/evil.py', 'import bait\n');
  });

  /** Were it read, its import would be found in the lower layer. */
  test.each([
    ['an absolute link', () => join(top, 'outside/evil.py'), '/srv/app/evil.py'],
    ['a relative link', () => '../../../outside/evil.py', '/srv/app/evil.py'],
    ['a link to a directory', () => join(top, 'outside'), '/srv/app/evil'],
    ['a link in circles', () => 'evil.py', '/srv/app/evil.py'],
    ['a link through procfs', () => '/proc/self/root/evil.py', '/srv/app/evil.py'],
  ])('%s in its upper layer leads nowhere outside', async (_, target, path) => {
    put('upper', '/srv/app/main.py', 'import evil, evil.evil\n');
    link('upper', target(), path);
    start(python());
    expect(await stale()).toEqual([]);
  });

  test('a directory that is a link is not gone through, whoever names it', async () => {
    link('upper', join(top, 'outside'), '/srv/app');
    start(python(['evil.py']));
    expect(await stale()).toEqual([]);
    start(python(['/srv/app/evil.py'], { environ: [`PYTHONPATH=${join(top, 'outside')}`] }));
    expect(await stale()).toEqual([]);
    start(python(['../../../../outside/evil.py'], { cwd: '/srv' }));
    expect(await stale()).toEqual([]);
  });

  test('a link to a file of the host is what the container would read as well', async () => {
    put('lower', '/usr/share/tool/evil.py', 'import bait\n');
    link('upper', '/usr/share/tool/evil.py', '/srv/app/main.py');
    start(python());
    expect(await stale()).toEqual([bait, '/usr/share/tool/evil.py'].sort());
  });

  test('what it says of itself is read to a bound', async () => {
    put('upper', '/srv/app/main.py', 'import bait\n');
    const long = 'x'.repeat(1 << 20);
    start(python([`/${long}/main.py`]));
    expect(await stale()).toEqual([]);
    start(python(['-W', long, 'main.py']));
    expect(await stale()).toEqual([]);
    start(python([Array.from({ length: 30_000 }, () => '..').join('/')]));
    expect(await stale()).toEqual([]);
    start(python(['main.py'], { environ: [`PYTHONPATH=${'/a:'.repeat(100_000)}`] }));
    expect(await stale()).toEqual([bait]);
  });

  test('a program without end keeps no other container from being looked at', async () => {
    const many = Array.from({ length: 200 }, (_, at) => `n${at}`);
    for (const [at, name] of many.entries()) {
      const imports = many.map((one) => `import ${one}x${at}\n`).join('');
      put('upper', `/srv/app/${name}.py`, imports);
    }
    put('upper', '/srv/app/main.py', many.map((name) => `import ${name}\n`).join(''));
    start(python());
    rmSync(join(top, `proc/${PROGRAM + 1}`), { recursive: true, force: true });
    run({ exe: '/usr/bin/tini', argv: ['tini'], pid: 20 }, 1, 'web-2');
    run({ ...python(['good.py']), pid: 21 }, 20, 'web-2');
    const all = options('replaced');
    put('lower', '/srv/app/good.py', 'import bait\n');
    mkdirSync(join(top, 'upper-2'));
    const second = { name: 'web-2', lower: join(top, 'lower'), upper: join(top, 'upper-2') };
    const found = await scanHost({ ...all, containers: [...all.containers, second] });
    expect(found.containers.map(({ stale: [...files] }) => files.map(({ path }) => path))).toEqual([
      [],
      ['/srv/app/good.py', bait],
    ]);
  });

  test('a command line that gives no answer makes its container unknown, and no other', async () => {
    put('upper', '/srv/app/main.py', 'import bait\n');
    start(python());
    const cmdline = join(top, `proc/${PROGRAM}/cmdline`);
    rmSync(cmdline);
    execFileSync('mkfifo', [cmdline]);
    run({ exe: '/usr/bin/tini', argv: ['tini'], pid: 20 }, 1, 'web-2');
    run({ ...python(), pid: 21 }, 20, 'web-2');
    mkdirSync(join(top, 'upper-2'));
    put('lower', '/srv/app/main.py', 'import bait\n');
    const second = { name: 'web-2', lower: join(top, 'lower'), upper: join(top, 'upper-2') };
    let expire = (): void => undefined;
    const programs = containerProgramsMemory({
      // It cannot be ended, as one that waits for a page of memory cannot.
      startChild: (questions, onWords) => {
        const child = wordsChild()(questions, onWords);
        if (questions.some(({ base }) => base.endsWith(`/${PROGRAM}`)))
          return { ended: new Promise(() => undefined), abandon: child.abandon };
        return child;
      },
      after: (_, then) => {
        expire = then;
        return () => undefined;
      },
    });
    const all = options('replaced');
    if (all.memory === undefined) throw new Error('no memory');
    const both = {
      ...{ ...all, memory: { ...all.memory, programs } },
      containers: [second, ...all.containers],
    };
    const begun = beginHostScan(both);
    const read = begun.read();
    expire();
    await read;
    const found = begun.finish().containers;
    expect(found.map(({ stale }) => stale.map(({ path }) => path))).toEqual([
      ['/srv/app/main.py', bait],
      [],
    ]);
    expect(found.map(({ unreadable }) => unreadable)).toEqual([
      [],
      [
        {
          what: `process ${PROGRAM} python3`,
          reason: 'its command line is not known: no answer',
        },
      ],
    ]);
    expect(found.map(verificationOf)).toEqual(['stale', 'unknown']);
    // Who reads its memory map now would wait behind that child, and so would who reads that of a process beside it.
    for (const pid of [INIT, PROGRAM]) rmSync(join(top, `proc/${pid}/maps`));
    expect(beginContainerScan('web-1', both).finish()).toMatchObject({
      processes: 2,
      unreadable: [{ what: 'its processes', reason: 'the memory of one of them gives no answer' }],
    });
  });

  test('what has not been read yet is unknown', () => {
    put('upper', '/srv/app/main.py', 'import bait\n');
    start(python());
    expect(beginContainerScan('web-1', options('replaced')).finish()).toMatchObject({
      stale: [],
      unreadable: [
        {
          what: `process ${PROGRAM} python3`,
          reason: 'its command line is not known: it was not read',
        },
      ],
    });
  });

  const rootOf = (lower: string, mounts: string[] = []): SourceView => {
    const upper = openUpperLayer(join(top, 'upper'), {
      ...{ xattrs: { prefetch: () => undefined, read: () => none }, namespace: 'trusted' },
      ...{ limits: { entries: 1_000, timeMs: 10_000 }, now: () => 0 },
    });
    if (upper === null) throw new Error('no upper layer');
    opened.push(upper);
    const text = mounts.map((point) => `1 0 8:2 / ${point} rw - ext4 /dev/y rw`).join('\n');
    const effort = effortKeeper(DEFAULT_EFFORT_LIMITS, () => 0)();
    return mergedRoot(upper, sharedRoot(openLowerLayer(lower), parseMountinfo(text)), effort);
  };
  let opened: UpperLayer[] = [];
  afterEach(() => {
    for (const upper of opened) upper.close();
    opened = [];
  });

  test('a file in whose place it puts another between two looks is not read', () => {
    put('upper', '/srv/app/main.py', 'import own\n');
    put('upper', '/srv/app/other.py', 'import own\n');
    const [main, other] = ['/srv/app/main.py', '/srv/app/other.py'].map((path) =>
      rootOf(join(top, 'lower')).look(path),
    );
    rmSync(join(top, 'upper/srv/app/main.py'));
    link('upper', join(top, 'outside/evil.py'), '/srv/app/main.py');
    expect(main?.read()).toBeNull();
    renameSync(join(top, 'upper/srv/app'), join(top, 'upper/srv/moved'));
    link('upper', join(top, 'outside'), '/srv/app');
    put('outside', '/other.py', 'import bait\n');
    expect(other?.read()).toBe('import own\n');
  });

  test('nor one of its length, of another kind or on a mount of the host', () => {
    put('lower', '/srv/nfs/a.py', 'x');
    put('lower', '/srv/long.py', 'x'.repeat((4 << 20) + 1));
    const view = rootOf(join(top, 'lower'), [join(top, 'lower/srv/nfs')]);
    expect(view.look('/srv/nfs/a.py')).toBeNull();
    expect(view.names('/srv/nfs')).toBeNull();
    expect(view.look('/srv/long.py')?.read()).toBe('');
    expect(view.look('/srv')).toBeNull();
    // Regular files by their own word, some of which never end.
    expect(rootOf('/').look('/proc/version')?.read()).toBeNull();
  });
});
