import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { chmod, link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { Redis } from 'ioredis';
import { endConnection } from '../jobs/end-connection.ts';
import type { RedisAddress } from '../jobs/connections.ts';
import { lockFile } from '../store/open-sqlite.ts';
import { longestSocketPath, redisConfig } from './redis-config.ts';
import { stopLeftoverRedis } from './redis-leftovers.ts';
import { hasCode } from '../core/error-code.ts';
import { errorText } from '../core/error-text.ts';

export interface RedisChild {
  address: Extract<RedisAddress, { kind: 'socket' }>;
  /** Of the present process; another one after it died and was started again. Null between the two. */
  pid: () => number | null;
  /** End it with its files written out; kill it after 15 s. No process is left. */
  stop: () => Promise<void>;
}

const stopLimitMs = 15_000;
const readyLimitMs = 60_000;

/** The password of this data directory, made once; for its owner only. */
const password = async (directory: string): Promise<string> => {
  const path = join(directory, 'password');
  const beside = `${path}.${randomUUID()}`;
  await writeFile(beside, randomBytes(32).toString('hex'), { mode: 0o600, flag: 'wx' });
  try {
    // Whole or not at all; one that is there stays.
    await link(beside, path);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  } finally {
    await rm(beside, { force: true });
  }
  return (await readFile(path, 'utf8')).trim();
};

/** In the data directory where the path is short enough, else in a directory of its own below `/run`. */
const socketPathFor = async (directory: string, runDirectory: string): Promise<string> => {
  const inside = join(directory, 'r.sock');
  if (Buffer.byteLength(inside) <= longestSocketPath) return inside;
  const name = createHash('sha256').update(directory).digest('hex').slice(0, 16);
  const short = join(runDirectory, `groundswell-${name}`);
  await mkdir(short, { recursive: true, mode: 0o700 });
  await chmod(short, 0o700);
  return join(short, 'r.sock');
};

const whyNotStarted = (exitCode: number | undefined, said: string): string =>
  exitCode === 127 || /ENOENT|failed to execute/.test(said)
    ? 'redis-server (or setpriv of util-linux) is not installed: apt-get install redis-server, or set REDIS_URL'
    : `redis-server did not start (exit code ${exitCode ?? 'none'}): ${said}`;

interface Running {
  pid: number;
  terminate: (name: NodeJS.Signals) => void;
  /** Resolves, never rejects, when the process is over: with what it said last. */
  over: Promise<{ exitCode: number | undefined; said: string }>;
}

/**
 * `setpriv --pdeathsig`: the kernel ends it when this process dies, however it dies. A group of its own, so
 * that Ctrl-C reaches it through `stop` only, after everything else has said its last word.
 */
const spawnRedis = (config: string, redisServer: string): Running => {
  const child = execa('setpriv', ['--pdeathsig', 'TERM', redisServer, '-'], {
    input: config,
    stdout: 'pipe',
    stderr: 'pipe',
    all: true,
    buffer: false,
    reject: false,
    detached: true,
    cleanup: false,
    // `stop` has its own limit.
    forceKillAfterDelay: false,
  });
  const lines: string[] = [];
  child.all.on('data', (data: Buffer) => {
    lines.push(...data.toString().split('\n').filter(Boolean));
    lines.splice(0, Math.max(0, lines.length - 5));
  });
  return {
    pid: child.pid ?? 0,
    terminate: (name) => {
      // What was never begun has pid 0 to Node.js: to signal that is to signal our own process group.
      if (child.pid === undefined) return;
      child.kill(name);
      // One that stands still (SIGSTOP) hears of it when it goes on, which loses nothing: it writes its files out.
      child.kill('SIGCONT');
    },
    over: child.then(({ exitCode, shortMessage }) => ({
      exitCode,
      said: lines.length > 0 ? lines.join(' | ') : (shortMessage ?? ''),
    })),
  };
};

/** Wait until Redis answers: it reads its files first. Throws when it ends before that. */
const untilReady = async (running: Running, address: RedisChild['address']): Promise<void> => {
  const probe = new Redis({
    path: address.path,
    password: address.password,
    lazyConnect: true,
    retryStrategy: () => 20,
    maxRetriesPerRequest: null,
  });
  // Not there yet, or still loading: that is what is waited for.
  probe.on('error', () => undefined);
  try {
    const outcome = await Promise.race([
      probe.ping().then(() => 'ready' as const),
      running.over,
      sleep(readyLimitMs, 'late' as const, { ref: false }),
    ]);
    if (outcome === 'ready') return;
    if (outcome === 'late') {
      running.terminate('SIGKILL');
      throw new Error(`redis-server did not answer within ${readyLimitMs} ms`);
    }
    throw new Error(whyNotStarted(outcome.exitCode, outcome.said));
  } finally {
    endConnection(probe);
  }
};

/** Where the embedded Redis of a data directory listens; null where it was never started. */
export const embeddedRedisAddress = async (
  dataDirectory: string,
  runDirectory = '/run',
): Promise<RedisChild['address'] | null> => {
  const directory = resolve(dataDirectory, 'redis');
  const secret = await readFile(join(directory, 'password'), 'utf8').catch(() => null);
  return secret === null
    ? null
    : {
        kind: 'socket',
        path: await socketPathFor(directory, runDirectory),
        password: secret.trim(),
      };
};

/**
 * Start the embedded Redis on `<dataDirectory>/redis`, over whatever is found there, and start it again
 * whenever it dies. Throws when another process uses the directory, when redis-server is missing, or when it
 * cannot read its files.
 */
export const startRedisChild = async (options: {
  dataDirectory: string;
  onProblem: (text: string) => void;
  redisServer?: string;
  runDirectory?: string;
}): Promise<RedisChild> => {
  const { onProblem, redisServer = 'redis-server', runDirectory = '/run' } = options;
  const directory = resolve(options.dataDirectory, 'redis');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const lock = lockFile(join(directory, 'lock'));
  if (lock === null)
    throw new Error(
      `${directory} is in use by another groundswell process: stop that one, or give this one its own data directory`,
    );
  let running: Running | null = null;
  let stopping = false;
  const wake = new AbortController();

  const start = async (config: string, address: RedisChild['address']): Promise<void> => {
    const ended = await stopLeftoverRedis(directory, stopLimitMs);
    if (ended.length > 0)
      onProblem(`ended redis-server ${ended.join(', ')}, left over in ${directory}`);
    await rm(address.path, { force: true });
    if (stopping) return;
    const next = spawnRedis(config, redisServer);
    running = next;
    await untilReady(next, address);
  };

  const keepAlive = async (config: string, address: RedisChild['address']): Promise<void> => {
    for (let attempt = 0; ; attempt += 1) {
      if (running !== null) {
        const { exitCode, said } = await running.over;
        running = null;
        if (stopping) return;
        onProblem(
          `redis-server ended (exit code ${exitCode ?? 'none'}), starting it again: ${said}`,
        );
      }
      await sleep(Math.min(100 * 2 ** attempt, 5_000), undefined, { signal: wake.signal }).catch(
        () => undefined,
      );
      if (stopping) return;
      try {
        await start(config, address);
        attempt = -1;
      } catch (error) {
        onProblem(errorText(error));
      }
    }
  };

  try {
    const address = {
      kind: 'socket' as const,
      path: await socketPathFor(directory, runDirectory),
      password: await password(directory),
    };
    const config = redisConfig({ directory, socketPath: address.path, password: address.password });
    await start(config, address);
    const kept = keepAlive(config, address);
    return {
      address,
      pid: () => running?.pid ?? null,
      stop: async () => {
        stopping = true;
        wake.abort();
        running?.terminate('SIGTERM');
        const kill = setTimeout(() => running?.terminate('SIGKILL'), stopLimitMs);
        await kept;
        clearTimeout(kill);
        await rm(address.path, { force: true });
        if (dirname(address.path) !== directory)
          await rm(dirname(address.path), { recursive: true, force: true });
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
};
