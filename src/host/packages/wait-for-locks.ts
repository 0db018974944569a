import { setTimeout as sleep } from 'node:timers/promises';
import type { LockHolder } from './lock-holders.ts';

const POLL_MS = 200;

/**
 * Waits until no other package manager is at work, at most `timeoutMs`. Answers null then, or who still
 * holds which lock. The manager may come back before we hold the lock.
 */
export const waitForLocks = async (
  readHolders: () => readonly LockHolder[],
  timeoutMs: number,
): Promise<string | null> => {
  const givesUpAt = performance.now() + timeoutMs;
  for (;;) {
    const holder = readHolders()[0];
    if (holder === undefined) return null;
    if (performance.now() >= givesUpAt)
      return `${holder.command || 'a process'} (pid ${holder.pid}) has held ${holder.path} for longer than ${timeoutMs} ms`;
    await sleep(POLL_MS);
  }
};
