import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { Redis } from 'ioredis';
import { redisConfig } from '../../src/main/redis-config.ts';
import { startRedisChild } from '../../src/main/redis-child.ts';
import type { RedisChild } from '../../src/main/redis-child.ts';
import { exists } from '../bed/exists.ts';
import { isAlive, signalProcess } from '../bed/processes.ts';
import { waitUntil } from '../bed/wait-until.ts';
import { needsRoot } from './needs-root.ts';

let dataDirectory: string;
let problems: string[];
const children: RedisChild[] = [];
const clients: Redis[] = [];

beforeEach(async () => {
  dataDirectory = await mkdtemp(join(tmpdir(), 'gs-child-'));
  problems = [];
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.disconnect();
  for (const child of children.splice(0)) await child.stop();
  await rm(dataDirectory, { recursive: true });
});

const start = async (directory = dataDirectory): Promise<RedisChild> => {
  const child = await startRedisChild({
    dataDirectory: directory,
    onProblem: (text) => problems.push(text),
  });
  children.push(child);
  return child;
};

const connect = ({ address: { path, password } }: RedisChild): Redis => {
  const client = new Redis({ path, password, retryStrategy: () => 20 });
  client.on('error', () => undefined);
  clients.push(client);
  return client;
};

const ended = (pid: number): Promise<true> =>
  waitUntil(`end of ${pid}`, async () => !(await isAlive(pid)), { deadlineMs: 10_000 });

test('keeps its data over a stop and a start, under the same password', async () => {
  const first = await start();
  await connect(first).set('k', 'v');
  const pid = first.pid() ?? 0;
  expect(await isAlive(pid)).toBe(true);
  await first.stop();
  children.pop();
  expect(await isAlive(pid)).toBe(false);
  const second = await start();
  expect(second.address).toEqual(first.address);
  expect(await connect(second).get('k')).toBe('v');
  expect(problems).toEqual([]);
});

test('is for its owner only, and its password is in no process list', async () => {
  const child = await start();
  const directory = join(dataDirectory, 'redis');
  expect((await stat(directory)).mode & 0o777).toBe(0o700);
  expect((await stat(join(directory, 'password'))).mode & 0o777).toBe(0o600);
  expect((await stat(child.address.path)).mode & 0o777).toBe(0o700);
  const commandLine = await readFile(`/proc/${child.pid() ?? 0}/cmdline`, 'utf8');
  expect(commandLine).toContain('redis-server');
  expect(commandLine).not.toContain(child.address.password);
  const stranger = new Redis({ path: child.address.path });
  stranger.on('error', () => undefined);
  clients.push(stranger);
  await expect(stranger.get('k')).rejects.toThrow('NOAUTH');
  const client = connect(child);
  expect(await client.config('GET', 'maxmemory-policy')).toContain('noeviction');
  expect(await client.config('GET', 'appendonly')).toContain('yes');
});

test('a second process on the same directory is refused and harms nothing', async () => {
  const child = await start();
  await connect(child).set('k', 'v');
  await expect(start()).rejects.toThrow('in use by another groundswell process');
  expect(await connect(child).get('k')).toBe('v');
  expect(problems).toEqual([]);
});

test('started again when it is killed, with all that was acknowledged', async () => {
  const child = await start();
  const client = connect(child);
  const pid = child.pid() ?? 0;
  for (let count = 0; count < 100; count += 1) await client.rpush('list', String(count));
  signalProcess(pid, 'SIGKILL');
  await waitUntil('another redis-server', () => child.pid() !== null && child.pid() !== pid, {
    deadlineMs: 10_000,
  });
  expect(await client.llen('list')).toBe(100);
  expect(problems.join()).toContain('starting it again');
});

test('kill -9 of its parent leaves no process, and the next start finds the data', async () => {
  const script = join(import.meta.dirname, 'redis-parent.child.ts');
  const parent = execa(process.execPath, ['--import', 'tsx', script, dataDirectory], {
    reject: false,
    buffer: false,
  });
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(line.toString());
  expect(await isAlive(pid)).toBe(true);
  parent.kill('SIGKILL');
  await parent;
  await ended(pid);
  await start();
  expect(problems).toEqual([]);
}, 30_000);

/** Ends long before the limit after which it is killed; answers what it came to. */
const soon = async <T>(work: Promise<T>): Promise<T> => {
  const begin = performance.now();
  const result = await work;
  expect(performance.now() - begin).toBeLessThan(7_500);
  return result;
};

test('one that stands still is woken to end in good order, its data kept', async () => {
  const child = await start();
  await connect(child).set('k', 'v');
  const pid = child.pid() ?? 0;
  signalProcess(pid, 'SIGSTOP');
  children.pop();
  await soon(child.stop());
  expect(await isAlive(pid)).toBe(false);
  expect(problems).toEqual([]);
  expect(await connect(await start()).get('k')).toBe('v');
}, 30_000);

test.each([
  ['works', false],
  ['stands still', true],
])(
  'a redis-server left over from a former life that %s is ended first, its data kept',
  async (_, still) => {
    const child = await start();
    const { address } = child;
    await child.stop();
    children.pop();
    // As if the kernel had not ended it: nobody's child, on the same files and socket.
    const directory = join(dataDirectory, 'redis');
    const leftover = execa('redis-server', ['-'], {
      input: redisConfig({ directory, socketPath: address.path, password: address.password }),
      reject: false,
    });
    const old = connect(child);
    await waitUntil('leftover answers', () => old.set('k', 'old').catch(() => null), {
      deadlineMs: 10_000,
    });
    // Its socket's name is gone: it is found all the same.
    await rm(address.path);
    if (still) signalProcess(leftover.pid ?? 0, 'SIGSTOP');
    const next = await soon(start());
    expect((await leftover).exitCode).toBe(0);
    expect(problems).toEqual([
      `ended redis-server ${leftover.pid ?? 0}, left over in ${directory}`,
    ]);
    expect(await connect(next).get('k')).toBe('old');
  },
  30_000,
);

needsRoot(test)('a data directory with a long name gets its socket elsewhere', async () => {
  const long = join(dataDirectory, 'd'.repeat(120));
  await mkdir(long);
  const child = await start(long);
  expect(Buffer.byteLength(child.address.path)).toBeLessThan(108);
  expect(await connect(child).ping()).toBe('PONG');
});

test('files that Redis cannot read, and a missing redis-server, are said', async () => {
  const child = await start();
  await connect(child).set('k', 'v');
  await child.stop();
  children.pop();
  const directory = join(dataDirectory, 'redis');
  // One file before Redis 7.0; since then several, and a list of them.
  const list = join(directory, 'appendonlydir', 'appendonly.aof.manifest');
  const [unreadable, said] = (await exists(list))
    ? [list, 'manifest']
    : [join(directory, 'appendonly.aof'), 'append-only file'];
  await rm(unreadable);
  await mkdir(unreadable);
  await expect(start()).rejects.toThrow(
    new RegExp(`redis-server did not start \\(exit code 1\\): .*${said}`),
  );
  const missing = startRedisChild({
    dataDirectory,
    onProblem: () => undefined,
    redisServer: 'redis-server-that-is-not-there',
  });
  await expect(missing).rejects.toThrow('apt-get install redis-server');
});
