import type { Logger } from './logger.ts';

/** Report errors that may come many times a second: the first of a kind at once, then a count each interval. */
export const limitErrors = (
  logger: Logger,
  intervalMs = 10_000,
): ((error: unknown, what: string) => void) => {
  const seen = new Map<string, { at: number; more: number }>();
  return (error, what) => {
    const message = error instanceof Error ? error.message : String(error);
    const key = `${what}: ${message}`;
    const now = performance.now();
    const before = seen.get(key);
    if (before !== undefined && now - before.at < intervalMs) {
      before.more += 1;
      return;
    }
    logger.warn(
      {
        what,
        error: message,
        ...(before === undefined || before.more === 0 ? {} : { repeated: before.more }),
      },
      `${what}: ${message}`,
    );
    seen.set(key, { at: now, more: 0 });
    if (seen.size > 1_000) seen.clear();
  };
};
