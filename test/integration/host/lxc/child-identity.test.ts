import { afterEach, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  awaitChild,
  endChild,
  findStopsAtWork,
  FORKER_NAME,
  identifyChild,
  isAtWork,
  SPARE_NAME,
  STOP_MARK,
} from '../../../../src/host/lxc/child-identity.ts';
import type { ChildIdentity } from '../../../../src/host/runtime.ts';

const started: ChildProcess[] = [];
const directories: string[] = [];

const start = async (
  file: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<ChildIdentity> => {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'ignore'], env });
  started.push(child);
  await once(child.stdout, 'data');
  const identity = child.pid === undefined ? null : identifyChild(child.pid);
  if (identity === null) throw new Error('the child is not there');
  return identity;
};

/** A program that says when it is ready, and ignores SIGTERM if told so. */
const waiting = (deaf: boolean): string[] => [
  '-e',
  `${deaf ? "process.on('SIGTERM', () => {});" : ''} console.log('up'); setInterval(() => {}, 1e6);`,
];

afterEach(async () => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true });
});

describe('a child of a former life', () => {
  test('is at work until it ends, and awaited', async () => {
    const child = await start(process.execPath, waiting(false));
    expect(isAtWork(child)).toBe(true);
    expect(await awaitChild(child, 20)).toBe(false);
    process.kill(child.pid, 'SIGTERM');
    expect(await awaitChild(child, 5_000)).toBe(true);
  });

  test('is not another process under the same pid', async () => {
    const child = await start(process.execPath, waiting(false));
    const other = { ...child, startTime: '1' };
    expect(isAtWork(other)).toBe(false);
    await endChild(other);
    expect(isAtWork(child)).toBe(true);
  });

  test('is ended, by force when it does not listen', async () => {
    const child = await start(process.execPath, waiting(true));
    await endChild(child, 50);
    expect(isAtWork(child)).toBe(false);
  });

  test('is found by its program, ours told from an owner’s', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'gs-lxc-stop-'));
    directories.push(directory);
    const script = join(directory, 'lxc-stop');
    // A copy of sh under the tool's name: a script would show up as its interpreter.
    await copyFile('/bin/sh', script);
    const said = ['-c', 'echo up; read forever < "$FIFO"'];
    await once(spawn('mkfifo', [join(directory, 'fifo')]), 'exit');
    const env = { FIFO: join(directory, 'fifo') };
    const name = (text: string): string[] => [...said, 'sh', '-n', text];
    const ours = await start(script, name('web-01'), { ...env, [STOP_MARK]: '1' });
    const owners = await start(script, name('web-02'), env);
    const found = findStopsAtWork().filter(({ pid }) => [ours.pid, owners.pid].includes(pid));
    expect(found.map(({ name, ours }) => ({ name, ours }))).toEqual([
      { name: 'web-01', ours: true },
      { name: 'web-02', ours: false },
    ]);
  });

  test('may be a shell whose agent died before it became its stop', async () => {
    const procRoot = await mkdtemp(join(tmpdir(), 'gs-proc-'));
    directories.push(procRoot);
    const shell = async (pid: number, parent: number, name: string): Promise<void> => {
      await mkdir(join(procRoot, String(pid)));
      const fields = ['S', parent, ...Array.from({ length: 17 }, () => 0), pid * 10];
      await writeFile(join(procRoot, String(pid), 'stat'), `${pid} (sh) ${fields.join(' ')}`);
      await writeFile(join(procRoot, String(pid), 'status'), `Uid:\t0\nNSpid:\t${pid}\n`);
      await writeFile(join(procRoot, String(pid), 'cmdline'), `/bin/sh\0-c\0script\0${name}\0`);
    };
    // Those of an agent that lives,
    await shell(500, 1, 'agent');
    await shell(501, 500, SPARE_NAME);
    await shell(502, 500, FORKER_NAME);
    await shell(503, 502, SPARE_NAME);
    // and of one that died: alone, and with the shell that forked it, which is none itself.
    await shell(601, 1, SPARE_NAME);
    await shell(602, 1, FORKER_NAME);
    await shell(603, 602, SPARE_NAME);
    expect(findStopsAtWork(procRoot)).toEqual([
      { pid: 601, startTime: '6010', name: '', ours: true },
      { pid: 603, startTime: '6030', name: '', ours: true },
    ]);
  });
});
