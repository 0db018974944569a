import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ProvisionError } from './provision-error.ts';

const WAIT_SECONDS = 60;

/**
 * Runs `work` while nobody else makes, clones or removes containers under `lxcPath`. The lock is
 * flock(2)'s, held by a child that ends when its standard input closes: the kernel frees it
 * however this process ends. Throws ProvisionError when another holds it for a minute.
 */
export const withProvisionLock = async <T>(lxcPath: string, work: () => Promise<T>): Promise<T> => {
  if (!existsSync(lxcPath))
    throw new ProvisionError(`${lxcPath} does not exist: install LXC (apt-get install lxc)`);
  const path = join(lxcPath, '.groundswell-lock');
  // `cat` gives back the byte that waits in its pipe once flock has the lock and has started it.
  const holder = spawn('flock', ['-x', '-w', String(WAIT_SECONDS), path, 'cat'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true,
  });
  holder.stdin.on('error', () => undefined);
  const ended = once(holder, 'exit').then(
    () => 'ended' as const,
    (error: unknown) => (error as NodeJS.ErrnoException).code ?? 'failed',
  );
  holder.stdin.write('.');
  const held = once(holder.stdout, 'data').then(() => 'held' as const);
  const outcome = await Promise.race([held, ended]);
  if (outcome === 'ENOENT')
    throw new ProvisionError('flock is not installed: apt-get install util-linux');
  if (outcome !== 'held')
    throw new ProvisionError(
      `another groundswell container command has been at work for ${WAIT_SECONDS} s (or ${path} cannot be written): wait for it to end, and try again`,
    );
  try {
    return await work();
  } finally {
    holder.stdin.end();
    await ended;
  }
};
