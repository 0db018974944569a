import { readdir, readFile, readlink, realpath } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode } from '../core/error-code.ts';

const orNull = async <T>(reading: Promise<T>): Promise<T | null> => {
  try {
    return await reading;
  } catch {
    // It ended meanwhile, or is not ours to look into.
    return null;
  }
};

/** Whether a process is there and not merely waiting to be collected (proc(5), field 3 of stat). */
const isLive = async (pid: string): Promise<boolean> => {
  const stat = await orNull(readFile(`/proc/${pid}/stat`, 'utf8'));
  return stat !== null && !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
};

/**
 * Redis processes that work in `directory`, its rewriting child included: known by name and working
 * directory, so that one whose socket or pid file is gone is found as well.
 */
const redisIn = async (directory: string): Promise<number[]> => {
  const own = await orNull(realpath(directory));
  if (own === null) return [];
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const name = await orNull(readFile(`/proc/${pid}/comm`, 'utf8'));
      if (name?.startsWith('redis-') !== true) return null;
      if ((await orNull(readlink(`/proc/${pid}/cwd`))) !== own) return null;
      return (await isLive(pid)) ? Number(pid) : null;
    }),
  );
  return found.filter((pid) => pid !== null);
};

const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error;
  }
};

/**
 * End what a former life left running in `directory`: a second Redis on the same files would start without
 * complaint, and the two would ruin them. Call it under the directory's lock only. Asks first, so that the
 * files are written out; kills after `limitMs`. Answers the pids that were ended.
 */
export const stopLeftoverRedis = async (directory: string, limitMs: number): Promise<number[]> => {
  const ended = new Set<number>();
  const end = performance.now() + limitMs;
  for (;;) {
    const pids = await redisIn(directory);
    if (pids.length === 0) return [...ended];
    const late = performance.now() > end;
    for (const pid of pids)
      if (late || !ended.has(pid)) {
        signal(pid, late ? 'SIGKILL' : 'SIGTERM');
        // One that stands still (SIGSTOP) hears of it when it goes on.
        signal(pid, 'SIGCONT');
        ended.add(pid);
      }
    if (performance.now() > end + 5_000)
      throw new Error(`cannot end redis-server ${pids.join(', ')} that works in ${directory}`);
    await sleep(20);
  }
};
