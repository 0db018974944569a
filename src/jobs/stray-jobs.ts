import { errorText } from '../core/error-text.ts';

/**
 * The job of which an error says that it is run twice at once, or was taken away while it was run; null: it says neither.
 * Some are where Redis is slow, or was away: their locks ran out.
 */
export const strayJob = (error: unknown): string | null => {
  const found =
    /^(?:(?:Missing (?:key|lock)|Lock mismatch) for job (.*)\. |Job (.*) is not in the |could not renew lock for job (.*)$)/s.exec(
      errorText(error),
    );
  return found?.[1] ?? found?.[2] ?? found?.[3] ?? null;
};

/** A job whose lock ran out is run once more after half a minute. */
const withinMs = 60_000;
const oftenAtMost = 4;
/** More ids than that are not remembered at once, whoever has put them in. */
const mostIds = 10_000;

/** Answers at each stray job whether it was one so often within a minute as only one is whose id stands in the list many times. */
export const createStrayJobs = (nowMs: () => number): ((id: string) => boolean) => {
  const times = new Map<string, number>();
  let since = nowMs();
  return (id) => {
    if (nowMs() - since >= withinMs || times.size >= mostIds) {
      times.clear();
      since = nowMs();
    }
    const count = (times.get(id) ?? 0) + 1;
    times.set(id, count);
    return count > oftenAtMost;
  };
};

/** What it means that jobs were stray, in people's words. */
export const lostLocksText = (count: number, example: string): string =>
  `${count === 1 ? 'a job has lost its lock' : `${count} jobs have lost their locks`} before it was known in Redis that they were done: Redis is slow, or was away; they come again, and change nothing then (${example})`;
