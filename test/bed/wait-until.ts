import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Asks `probe` every `everyMs` (5 by default) until it answers something that is neither null nor
 * false, and answers that. Throws when `deadlineMs` has passed: `what` then names what never came.
 */
export const waitUntil = async <T>(
  what: string,
  probe: () => Promise<T | null | false> | T | null | false,
  { deadlineMs, everyMs = 5 }: { deadlineMs: number; everyMs?: number },
): Promise<T> => {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const answer = await probe();
    if (answer !== null && answer !== false) return answer;
    if (performance.now() > end) throw new Error(`waited ${deadlineMs} ms in vain: ${what}`);
    await sleep(everyMs);
  }
};
