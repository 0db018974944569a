import { Redis } from 'ioredis';
import type { RedisOptions } from 'ioredis';

/**
 * Where Redis is: a URL (`redis://`, `rediss://`), the socket of the embedded one, or the name of a master that Sentinels
 * know: then the host of `url` is that name, and the rest of it (user, password, TLS, database) holds for the master.
 */
export type RedisAddress =
  | { kind: 'url'; url: string }
  | { kind: 'sentinel'; url: string; sentinels: readonly string[] }
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

type Connecting = Omit<typeof common, 'retryStrategy'> &
  Pick<
    RedisOptions,
    | 'maxRetriesPerRequest'
    | 'enableOfflineQueue'
    | 'lazyConnect'
    | 'autoResendUnfulfilledCommands'
    | 'retryStrategy'
  >;

const sentinelPort = 26_379;

/** User and password of a URL, as they are written there. */
const credentialsOf = ({ username, password }: URL): { username?: string; password?: string } => ({
  ...(username === '' ? {} : { username: decodeURIComponent(username) }),
  ...(password === '' ? {} : { password: decodeURIComponent(password) }),
});

/** The first Sentinel's user, password and TLS hold for all. */
const sentinelOptions = (url: string, sentinels: readonly string[]) => {
  const master = new URL(url);
  const known = sentinels.map((sentinel) => new URL(sentinel));
  const [first] = known;
  const { username, password } = first === undefined ? {} : credentialsOf(first);
  return {
    name: decodeURIComponent(master.hostname),
    sentinels: known.map(({ hostname, port }) => ({
      host: hostname.replace(/^\[(.*)\]$/, '$1'),
      port: port === '' ? sentinelPort : Number(port),
    })),
    ...credentialsOf(master),
    ...(username === undefined ? {} : { sentinelUsername: username }),
    ...(password === undefined ? {} : { sentinelPassword: password }),
    db: Number(master.pathname.slice(1)),
    ...(master.protocol === 'rediss:' ? { tls: {} } : {}),
    ...(first?.protocol === 'rediss:' ? { enableTLSForSentinelMode: true, sentinelTLS: {} } : {}),
    // The default asks a hundred times in the first seconds.
    sentinelRetryStrategy: retryDelayMs,
    sentinelCommandTimeout: socketTimeoutMs,
  };
};

/** For people, without password. */
export const placeOfRedis = (address: RedisAddress): string => {
  switch (address.kind) {
    case 'url': {
      const { host, pathname } = new URL(address.url);
      return host === '' ? pathname : host;
    }
    case 'socket':
      return address.path;
    case 'sentinel':
      return `${new URL(address.url).hostname} of the Sentinels ${address.sentinels.map((sentinel) => new URL(sentinel).host).join(', ')}`;
  }
};

const connect = (address: RedisAddress, options: Connecting): Redis => {
  if (address.kind === 'url') return new Redis(address.url, options);
  if (address.kind === 'sentinel')
    return new Redis({ ...options, ...sentinelOptions(address.url, address.sentinels) });
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

/** For a few commands that a person waits for: it is not connected yet, not made anew, and sends nothing twice. */
export const connectOnce = (address: RedisAddress): Redis =>
  listening(
    connect(address, {
      ...common,
      lazyConnect: true,
      autoResendUnfulfilledCommands: false,
      retryStrategy: () => null,
    }),
    // `connect` and the commands themselves tell.
    () => undefined,
  );
