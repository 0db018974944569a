import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bed } from './bed.ts';
import { isAlive, signalProcess } from './processes.ts';
import { waitUntil } from './wait-until.ts';

/** A Redis of its own outside of the hosts, as a fleet has it: over TCP, with users and append-only file. */
export interface BedRedis {
  /** Its URL as it is reached at one of the addresses, as the default user or another one. */
  url: (address: string, user?: string) => string;
  kill: () => Promise<void>;
  /** Start it over the files that it left, or without them; resolves when it answers. */
  start: (options?: { empty?: boolean }) => Promise<void>;
}

const PORT = 6379;
/** Of every user. */
const PASSWORD = 'secret-of-every-test-bed';

/**
 * Redis writes its title over the mark in its environment by which the bed finds what is left, before 7.0
 * whatever it is told. So a shell that keeps the mark waits for it, and takes it along when it is killed.
 */
const MARKED_REDIS = 'setpriv --pdeathsig KILL redis-server "$1"; exit $?';

/** Starts redis-server for a bed on the given addresses of the outer machine. */
export const startBedRedis = async (bed: Bed, addresses: readonly string[]): Promise<BedRedis> => {
  const directory = join(bed.directory, 'redis');
  const configPath = join(directory, 'redis.conf');
  const pidPath = join(directory, 'pid');
  const aclPath = join(directory, 'users.acl');
  await mkdir(directory, { recursive: true });
  await writeFile(aclPath, `user default on ~* +@all >${PASSWORD}\n`, { mode: 0o600 });
  await writeFile(
    configPath,
    [
      `bind ${addresses.join(' ')}`,
      `port ${PORT}`,
      `aclfile ${aclPath}`,
      'appendonly yes',
      'maxmemory-policy noeviction',
      'save ""',
      `dir ${directory}`,
      `pidfile ${pidPath}`,
      `logfile ${join(directory, 'log')}`,
      '',
    ].join('\n'),
    { mode: 0o600 },
  );
  const [first = '127.0.0.1'] = addresses;
  const ask = ['redis-cli', '-h', first, '-p', String(PORT), '--no-auth-warning', '-a', PASSWORD];
  const pid = async (): Promise<number> => {
    const read = Number(await readFile(pidPath, 'utf8'));
    // To kill(2) 0 and -1 are whole groups of processes.
    if (!(read > 1)) throw new Error(`${pidPath} names no process`);
    return read;
  };
  const start: BedRedis['start'] = async ({ empty = false } = {}) => {
    // A directory since Redis 7.0, one file before.
    for (const name of empty ? ['appendonlydir', 'appendonly.aof'] : [])
      await rm(join(directory, name), { recursive: true, force: true });
    await rm(pidPath, { force: true });
    const ended = bed.commands
      .run(['sh', '-c', MARKED_REDIS, 'sh', configPath])
      .then(({ exitCode, stdout, stderr }) => {
        throw new Error(`redis-server ended with ${exitCode}: ${stdout}${stderr}`);
      });
    const answers = waitUntil(
      'Redis answers',
      async () =>
        // One that was left by somebody else would answer too.
        (await pid().then(isAlive, () => false)) &&
        (await bed.commands.run([...ask, 'PING'])).stdout.trim() === 'PONG',
      { deadlineMs: 10_000 },
    );
    await Promise.race([answers, ended]);
  };
  await start();
  return {
    url: (address, user = '') => `redis://${user}:${PASSWORD}@${address}:${PORT}`,
    kill: async () => {
      const killed = await pid();
      signalProcess(killed, 'SIGKILL');
      await waitUntil('Redis to end', async () => !(await isAlive(killed)), { deadlineMs: 5_000 });
    },
    start,
  };
};
