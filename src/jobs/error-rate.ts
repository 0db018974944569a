import { errorText } from '../core/error-text.ts';

/** What a limited listener says, once per period: the newest message and how many there were. */
export interface ErrorSummary {
  message: string;
  count: number;
}

/**
 * A listener for errors that may come by the thousand (BullMQ's `error` events): it speaks at the first and
 * then once every `everyMs`, and `isSpinning` answers whether more than `limit` came within a second.
 * `nowMs` is monotonic.
 */
export const createErrorRate = ({
  nowMs,
  everyMs,
  limit,
  say,
}: {
  nowMs: () => number;
  everyMs: number;
  limit: number;
  say: (summary: ErrorSummary) => void;
}): { hear: (error: unknown) => void; isSpinning: () => boolean; reset: () => void } => {
  let spokeAt = -Infinity;
  let unsaid = 0;
  let recent: number[] = [];
  return {
    hear: (error) => {
      const now = nowMs();
      unsaid += 1;
      recent.push(now);
      if (recent.length > limit + 1) recent.shift();
      if (now - spokeAt < everyMs) return;
      say({ message: errorText(error), count: unsaid });
      spokeAt = now;
      unsaid = 0;
    },
    isSpinning: () => recent.length > limit && nowMs() - (recent[0] ?? 0) <= 1_000,
    reset: () => {
      recent = [];
    },
  };
};
