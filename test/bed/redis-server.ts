import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bed } from './bed.ts';
import { isAlive, signalProcess } from './processes.ts';
import { waitUntil } from './wait-until.ts';

/** A Redis of its own outside of the hosts, as a fleet has it: over TCP, with password and append-only file. */
export interface BedRedis {
  /** Its URL as it is reached at one of the addresses. */
  url: (address: string) => string;
  kill: () => Promise<void>;
  /** Start it over the files that it left, or without them; resolves when it answers. */
  start: (options?: { empty?: boolean }) => Promise<void>;
}

const PORT = 6379;
const PASSWORD = 'bed-secret';

/** Starts redis-server for a bed on the given addresses of the outer machine. */
export const startBedRedis = async (bed: Bed, addresses: readonly string[]): Promise<BedRedis> => {
  const directory = join(bed.directory, 'redis');
  const configPath = join(directory, 'redis.conf');
  const pidPath = join(directory, 'pid');
  await mkdir(directory, { recursive: true });
  await writeFile(
    configPath,
    [
      `bind ${addresses.join(' ')}`,
      `port ${PORT}`,
      `requirepass ${PASSWORD}`,
      'appendonly yes',
      'maxmemory-policy noeviction',
      'save ""',
      `dir ${directory}`,
      'daemonize yes',
      `pidfile ${pidPath}`,
      `logfile ${join(directory, 'log')}`,
      '',
    ].join('\n'),
    { mode: 0o600 },
  );
  const [first = '127.0.0.1'] = addresses;
  const ask = ['redis-cli', '-h', first, '-p', String(PORT), '--no-auth-warning', '-a', PASSWORD];
  const start: BedRedis['start'] = async ({ empty = false } = {}) => {
    if (empty) await rm(join(directory, 'appendonlydir'), { recursive: true, force: true });
    await bed.commands.must(['redis-server', configPath]);
    await waitUntil(
      'Redis answers',
      async () => (await bed.commands.run([...ask, 'PING'])).stdout.trim() === 'PONG',
      { deadlineMs: 10_000 },
    );
  };
  await start();
  return {
    url: (address) => `redis://:${PASSWORD}@${address}:${PORT}`,
    kill: async () => {
      const pid = Number(await readFile(pidPath, 'utf8'));
      signalProcess(pid, 'SIGKILL');
      await waitUntil('Redis to end', async () => !(await isAlive(pid)), { deadlineMs: 5_000 });
    },
    start,
  };
};
