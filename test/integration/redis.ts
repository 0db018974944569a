import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { RedisAddress } from '../../src/jobs/connections.ts';
import { startRedisChild } from '../../src/main/redis-child.ts';
import { isAlive } from '../bed/processes.ts';

export interface TestRedis {
  address: RedisAddress;
  /** A plain client, closed by `stop`. */
  client: () => Redis;
  /** Pid of the server; null where it is not ours. */
  pid: () => number | null;
  /** Throws when a process of ours is left. */
  stop: () => Promise<void>;
}

/** How one server is reached. */
type OneServer = Exclude<RedisAddress, { kind: 'sentinel' }>;

const plain = (address: OneServer): Redis => {
  const redis =
    address.kind === 'url'
      ? new Redis(address.url)
      : new Redis({ path: address.path, password: address.password });
  redis.on('error', () => undefined);
  return redis;
};

/**
 * A real Redis for tests: the one at `REDIS_URL` where that is set, else an own server in a directory of its
 * own. Tests that flush, kill or restrict it ask for their `own`.
 */
export const startTestRedis = async ({ own }: { own: boolean }): Promise<TestRedis> => {
  const clients: Redis[] = [];
  const client = (address: OneServer) => (): Redis => {
    const redis = plain(address);
    clients.push(redis);
    return redis;
  };
  const url = process.env['REDIS_URL'];
  if (!own && url !== undefined) {
    const address = { kind: 'url' as const, url };
    return {
      address,
      client: client(address),
      pid: () => null,
      stop: () => {
        for (const redis of clients) redis.disconnect();
        return Promise.resolve();
      },
    };
  }
  const dataDirectory = await mkdtemp(join(tmpdir(), 'gs-redis-'));
  const child = await startRedisChild({ dataDirectory, onProblem: () => undefined });
  return {
    address: child.address,
    client: client(child.address),
    pid: child.pid,
    stop: async () => {
      const pid = child.pid();
      for (const redis of clients) redis.disconnect();
      await child.stop();
      await rm(dataDirectory, { recursive: true });
      if (pid !== null && (await isAlive(pid))) throw new Error(`redis-server ${pid} is left`);
    },
  };
};
