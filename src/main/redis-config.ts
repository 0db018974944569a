/** Longest path of a Unix socket in bytes (unix(7), sun_path with its end); Redis refuses longer ones. */
export const longestSocketPath = 107;

/** redis.conf's form of a value that may hold spaces and quotes. */
const quoted = (value: string): string => {
  if (/[\r\n\0]/.test(value))
    throw new Error(`${JSON.stringify(value)} cannot stand in redis.conf`);
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
};

/**
 * Configuration of the embedded Redis, given on standard input so that the password stands in no process
 * list. Never evicts: BullMQ's keys are all needed.
 */
export const redisConfig = (settings: {
  directory: string;
  socketPath: string;
  password: string;
}): string =>
  [
    `dir ${quoted(settings.directory)}`,
    'port 0',
    `unixsocket ${quoted(settings.socketPath)}`,
    'unixsocketperm 700',
    `requirepass ${quoted(settings.password)}`,
    'protected-mode yes',
    'daemonize no',
    'logfile ""',
    'save ""',
    'appendonly yes',
    'appendfsync everysec',
    'maxmemory-policy noeviction',
    '',
  ].join('\n');
