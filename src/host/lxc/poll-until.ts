import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Asks `probe` until its answer satisfies `done` or `timeoutMs` has passed, first at once and then
 * at growing distances (1 to 100 ms); answers the last answer, satisfied or not.
 */
export const pollUntil = async <T>(
  probe: () => Promise<T> | T,
  done: (answer: T) => boolean,
  timeoutMs: number,
): Promise<T> => {
  const end = performance.now() + timeoutMs;
  for (let pauseMs = 1; ; pauseMs = Math.min(100, pauseMs * 1.5)) {
    const answer = await probe();
    if (done(answer) || performance.now() >= end) return answer;
    await sleep(pauseMs);
  }
};
