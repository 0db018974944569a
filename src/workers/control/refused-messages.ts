import { beginningOf } from '../../core/beginning-of.ts';

/** What nobody we know signed (R7): counted, and told once a minute, so that a flood of it costs one record. */
export interface RefusedMessages {
  count: (from: string, reason: string) => void;
  /** What came since the last call, or null; the caller records it. */
  take: () => { total: number; reasons: string[] } | null;
}

const keptReasons = 5;

export const createRefusedMessages = (): RefusedMessages => {
  let total = 0;
  const reasons = new Map<string, number>();
  return {
    count: (from, reason) => {
      total += 1;
      const key = `${from}: ${beginningOf(reason.split('\n')[0] ?? '', 200)}`;
      if (reasons.has(key) || reasons.size < keptReasons)
        reasons.set(key, (reasons.get(key) ?? 0) + 1);
    },
    take: () => {
      if (total === 0) return null;
      const taken = {
        total,
        reasons: [...reasons].map(([reason, times]) => `${reason} (${times} times)`),
      };
      total = 0;
      reasons.clear();
      return taken;
    },
  };
};
