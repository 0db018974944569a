import { Redis } from 'ioredis';
import type { RedisOptions } from 'ioredis';

/** Where Redis is: a URL (`redis://`, `rediss://`), or the socket of the embedded one. */
export type RedisAddress =
  | { kind: 'url'; url: string }
  | { kind: 'socket'; path: string; username?: string; password: string };

/**
 * A worker polls at least this often while idle, in seconds; it bounds how late a swallowed connection is
 * noticed, together with the socket's own limit, which must be longer.
 */
export const drainDelaySeconds = 5;
const socketTimeoutMs = 10_000;

/** Every 0.2 to 2 s, for ever; the client's own default backs off up to 20 s. */
export const retryDelayMs = (attempt: number): number => Math.min(200 * attempt, 2_000);

const common = {
  socketTimeout: socketTimeoutMs,
  connectTimeout: socketTimeoutMs,
  retryStrategy: retryDelayMs,
} satisfies RedisOptions;

type Connecting = typeof common & Pick<RedisOptions, 'maxRetriesPerRequest' | 'enableOfflineQueue'>;

const connect = (address: RedisAddress, options: Connecting): Redis => {
  if (address.kind === 'url') return new Redis(address.url, options);
  const { path, password, username } = address;
  return new Redis({ ...options, path, password, ...(username === undefined ? {} : { username }) });
};

/** `onError` hears every failed attempt to connect: limit what it prints. */
const listening = (redis: Redis, onError: (error: Error) => void): Redis => {
  redis.on('error', onError);
  return redis;
};

/**
 * For a worker (and what else its process sends): commands wait while Redis is away. Whoever uses it for
 * anything but the worker must look at `status` first and set a limit of its own.
 */
export const connectWorker = (address: RedisAddress, onError: (error: Error) => void): Redis =>
  listening(connect(address, { ...common, maxRetriesPerRequest: null }), onError);

/** For the relay and all other sending: commands fail at once while Redis is away. */
export const connectSender = (address: RedisAddress, onError: (error: Error) => void): Redis =>
  listening(
    connect(address, { ...common, enableOfflineQueue: false, maxRetriesPerRequest: 1 }),
    onError,
  );
