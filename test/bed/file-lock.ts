import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * Runs `work` while holding an exclusive lock on `path` (made if missing), waiting for it as long
 * as it takes. The lock is flock(2)'s, held by a child that ends when its standard input closes:
 * so the kernel frees it however this process ends, and no stale lock can be left behind.
 */
export const withFileLock = async <T>(path: string, work: () => Promise<T>): Promise<T> => {
  const holder = spawn('/usr/bin/flock', ['--exclusive', path, 'sh', '-c', 'echo held; exec cat'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true,
  });
  const ended = once(holder, 'exit');
  const outcome = await Promise.race([once(holder.stdout, 'data').then(() => 'held'), ended]);
  if (outcome !== 'held') throw new Error(`cannot lock ${path}: flock ended without the lock`);
  try {
    return await work();
  } finally {
    holder.stdin.end();
    await ended;
  }
};
