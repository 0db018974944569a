import { repeat } from '../../jobs/repeat.ts';
import type { Repeated } from '../../jobs/repeat.ts';

/** Pause before a showing that failed is tried again. */
const againMs = 500;

/** Show every `everyMs` that this agent lives; that Redis is away is told by those that need it. */
export const showPresence = (
  show: () => Promise<void>,
  { everyMs, monoMs }: { everyMs: number; monoMs: () => number },
): Repeated => {
  let shownAt = -Infinity;
  return repeat(
    async () => {
      if (monoMs() - shownAt < everyMs) return;
      await show();
      shownAt = monoMs();
    },
    { everyMs: Math.min(againMs, everyMs), onError: () => undefined },
  );
};
