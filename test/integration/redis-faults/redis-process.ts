import { mkdtemp, readdir, rm, stat, truncate } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { Redis } from 'ioredis';
import { isAlive, signalProcess } from '../../bed/processes.ts';
import { waitUntil } from '../../bed/wait-until.ts';

export const redisPassword = 'secret';

/** A redis-server over TCP that a test may harm, on files of its own. */
export interface RedisProcess {
  port: number;
  url: string;
  /** As the default user; closed by `stop`. */
  client: () => Redis;
  signal: (name: NodeJS.Signals) => void;
  /** `kill -9`; resolves when it is gone. */
  kill: () => Promise<void>;
  /** Start it again over the files that it left. */
  start: () => Promise<void>;
  /** Its append-only file as it is now; `cutBack` takes away, while it is down, what was added since. */
  mark: () => Promise<{ cutBack: () => Promise<void> }>;
  deleteData: () => Promise<void>;
  /** Throws when the process is left. */
  stop: () => Promise<void>;
}

export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
};

/** Runs `redis-server` (or a Sentinel) that ends with this process, whatever becomes of it; `input` is its configuration. */
export const runRedisServer = (args: readonly string[], input: string) =>
  execa('setpriv', ['--pdeathsig', 'KILL', 'redis-server', ...args], {
    ...{ input, reject: false, forceKillAfterDelay: false },
  });

const connect = (port: number): Redis => {
  const redis = new Redis({
    ...{ host: '127.0.0.1', port, password: redisPassword },
    retryStrategy: () => 50,
  });
  redis.on('error', () => undefined);
  return redis;
};

export const startRedisProcess = async (lines: readonly string[] = []): Promise<RedisProcess> => {
  const directory = await mkdtemp(join(tmpdir(), 'gs-redis-fault-'));
  const port = await freePort();
  const config = [
    ...['bind 127.0.0.1', `port ${port}`, `dir ${directory}`, `requirepass ${redisPassword}`],
    ...[`masterauth ${redisPassword}`, 'save ""', 'appendonly yes', 'appendfsync everysec'],
    ...['maxmemory-policy noeviction', 'enable-debug-command yes', 'repl-diskless-sync-delay 0'],
    ...lines,
  ].join('\n');
  const clients: Redis[] = [];
  let child: ReturnType<typeof runRedisServer> | null = null;

  const start = async (): Promise<void> => {
    const started = runRedisServer(['-'], config);
    child = started;
    const probe = connect(port);
    try {
      await Promise.race([
        probe.ping(),
        started.then(({ stdout, stderr }) => {
          throw new Error(`redis-server ended: ${stdout}${stderr}`);
        }),
      ]);
    } finally {
      probe.disconnect();
    }
  };
  const kill = async (): Promise<void> => {
    child?.kill('SIGKILL');
    await child;
  };
  /** The file that grows; a directory since Redis 7.0. */
  const growing = async (): Promise<string> => {
    const names = await readdir(join(directory, 'appendonlydir')).catch(() => []);
    const name = names.find((one) => one.endsWith('.incr.aof'));
    return name === undefined
      ? join(directory, 'appendonly.aof')
      : join(directory, 'appendonlydir', name);
  };

  await start();
  return {
    port,
    url: `redis://:${redisPassword}@127.0.0.1:${port}`,
    client: () => {
      const redis = connect(port);
      clients.push(redis);
      return redis;
    },
    signal: (name) => {
      if (child?.pid !== undefined) signalProcess(child.pid, name);
    },
    kill,
    start,
    mark: async () => {
      const path = await growing();
      const { size } = await stat(path);
      return { cutBack: () => truncate(path, size) };
    },
    deleteData: async () => {
      for (const name of ['appendonlydir', 'appendonly.aof'])
        await rm(join(directory, name), { recursive: true, force: true });
    },
    stop: async () => {
      for (const redis of clients) redis.disconnect();
      const pid = child?.pid;
      await kill();
      await rm(directory, { recursive: true });
      if (pid !== undefined)
        await waitUntil('redis-server to end', async () => !(await isAlive(pid)), {
          deadlineMs: 5_000,
        });
    },
  };
};
