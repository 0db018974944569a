import { setTimeout as sleep } from 'node:timers/promises';
import type { AptHost } from './apt-host.ts';
import { readLockHolders } from './lock-holders.ts';
import { aptFailure } from './name-failure.ts';
import type { AptFailure } from './name-failure.ts';

const POLL_MS = 200;

/**
 * Waits until no other package manager is at work, as long as the host's lock timeout says. Answers
 * null then, or who still holds which lock. The manager may come back before we hold the lock: apt
 * waits for that itself.
 */
export const waitForLocks = async (host: AptHost): Promise<AptFailure | null> => {
  const givesUpAt = performance.now() + host.lockTimeoutMs;
  for (;;) {
    const holder = readLockHolders(host.root)[0];
    if (holder === undefined) return null;
    if (performance.now() >= givesUpAt)
      return aptFailure(
        'lock-timeout',
        `${holder.command || 'a process'} (pid ${holder.pid}) has held ${holder.path} for longer than ${host.lockTimeoutMs} ms`,
      );
    await sleep(POLL_MS);
  }
};
