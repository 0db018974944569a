import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

/** LXC's tools are scripts here, and procfs is made up: what they do to a real container, test/e2e/lxc.test.ts shows. */
let directory: string;
const child = fileURLToPath(new URL('tools.child.ts', import.meta.url));

const lxcPath = (): string => join(directory, 'lxc');
const proc = (...names: string[]): string => join(directory, 'proc', ...names);

const tool = async (name: string, script: string): Promise<void> => {
  const file = join(directory, 'bin', name);
  await writeFile(
    file,
    `#!/bin/sh\nexport PATH=/usr/bin:/bin\necho "$(basename "$0") $* files=$(ulimit -S -n)" >> ${directory}/calls\n${script}\n`,
  );
  await chmod(file, 0o755);
};

const calls = async (): Promise<string[]> =>
  (await readFile(join(directory, 'calls'), 'utf8').catch(() => ''))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace(` -P ${lxcPath()}`, ''));

const stat = (pid: number, parent: number, command: string): string =>
  `${pid} (${command}) S ${parent} 1 1 0 -1 0 ${Array(12).fill(0).join(' ')} 77 0 0`;

/** The container `web` runs, as procfs would show it. */
const itRuns = async (): Promise<void> => {
  await mkdir(proc('10/task/10'), { recursive: true });
  await writeFile(proc('10/cmdline'), `[lxc monitor] ${lxcPath()} web\0`);
  await writeFile(proc('10/stat'), stat(10, 1, 'lxc-start'));
  await writeFile(proc('10/status'), 'Uid:\t0\t0\t0\t0\nNSpid:\t10\n');
  await writeFile(proc('10/task/10/children'), '11 ');
  await writeFile(
    proc('10/limits'),
    'Max open files            4096                 524288               files     \n',
  );
  await mkdir(proc('11'));
  await writeFile(proc('11/cmdline'), '/sbin/init\0');
  await writeFile(proc('11/status'), 'NSpid:\t11\t1\n');
  await writeFile(proc('11/stat'), stat(11, 10, 'init'));
  await writeFile(proc('1/net/unix'), `0: 1 2 3 4 5 6 @${lxcPath()}/web/command\n`);
};

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gs-lxc-tools-'));
  await mkdir(join(directory, 'bin'));
  await mkdir(join(lxcPath(), 'web'), { recursive: true });
  await writeFile(join(lxcPath(), 'web/config'), '');
  await mkdir(proc('1/net'), { recursive: true });
  await mkdir(proc('sys/kernel/random'), { recursive: true });
  await symlink('1', proc('self'));
  const cgroups = join(directory, 'cgroup');
  await writeFile(proc('1/mountinfo'), `30 24 0:26 / ${cgroups} rw - cgroup2 cgroup2 rw\n`);
  await mkdir(join(cgroups, 'lxc.monitor.web'), { recursive: true });
  await writeFile(join(cgroups, 'lxc.monitor.web/cgroup.procs'), '10\n');
  await writeFile(proc('sys/kernel/random/boot_id'), 'b\n');
  await writeFile(proc('1/net/unix'), '');
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

/** What comes of each call; in a process of its own, for a PATH of its own. */
const outcomes = async (...calls: string[]): Promise<unknown[]> => {
  const { stdout } = await execa(
    process.execPath,
    ['--import', 'tsx', child, lxcPath(), join(directory, 'proc'), ...calls],
    { env: { PATH: join(directory, 'bin'), NODE_OPTIONS: '' }, timeout: 20_000 },
  );
  return stdout.split('\n').map((line) => JSON.parse(line) as unknown);
};

const goesDown = (): string => `: > ${proc('1/net/unix')}; rm -r ${proc('10')} ${proc('11')}`;

describe('stopping', () => {
  test('by the graceful stop alone, when that does it', async () => {
    await itRuns();
    await tool('lxc-stop', goesDown());
    expect(await outcomes('stop')).toEqual(['stopped']);
    expect(await calls()).toEqual(['lxc-stop -n web -t 5 files=1024']);
  });

  test('that was ended by somebody does not go on to kill the container', async () => {
    await itRuns();
    await tool('lxc-stop', 'kill -9 $$');
    expect(await outcomes('stop', 'state')).toEqual([
      'lxc-stop of web was ended by SIGKILL',
      'running',
    ]);
    expect(await calls()).toEqual(['lxc-stop -n web -t 5 files=1024']);
  });

  test('without the tool says so, and what the system said', async () => {
    await itRuns();
    expect(await outcomes('stop')).toEqual([
      expect.stringMatching(/^lxc-stop cannot be run \(apt-get install lxc\?\): .*not found$/),
    ]);
  });
});

describe('starting', () => {
  test('is tried once more when somebody ended it', async () => {
    const once = join(directory, 'once');
    await tool('lxc-start', `[ -e ${once} ] && exit 0; : > ${once}; kill -9 $$`);
    expect(await outcomes('start')).toEqual(['stopped']);
    expect(await calls()).toEqual(['lxc-start -n web files=1024', 'lxc-start -n web files=1024']);
  });

  test('gives the limit on open files that the container had', async () => {
    await itRuns();
    await tool('lxc-stop', goesDown());
    await tool('lxc-start', '');
    expect(await outcomes('stop', 'start')).toEqual(['stopped', 'stopped']);
    expect((await calls()).at(-1)).toBe('lxc-start -n web files=4096');
  });
});
