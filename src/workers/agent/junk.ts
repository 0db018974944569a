import { beginningOf } from '../../core/beginning-of.ts';
import type { OwnAudit } from './audit-entry.ts';

/** Messages that nobody who may has signed for this host, or has not signed now, between two records. */
export interface Junk {
  /** `why`: `unsigned`, `wrong-recipient`, `unknown-key`, `malformed`, `other-content`, `rolled-back`, `damaged-queue`. */
  count: (why: string, example: string) => void;
  total: () => number;
  stop: () => void;
}

const firstLine = (text: string): string => beginningOf(text.split('\n', 1)[0] ?? '', 200);

/** R7: counted, summed up in one audit record a minute, never answered. */
export const countJunk = ({
  everyMs,
  record,
}: {
  everyMs: number;
  /** Answers whether it is durable; if not, the sum goes into the next one. */
  record: (audit: OwnAudit) => boolean;
}): Junk => {
  /** By kind, each with the first of it: few kinds, however many messages. */
  let kinds = new Map<string, { times: number; example: string }>();
  let total = 0;
  const flush = (): void => {
    if (kinds.size === 0) return;
    const reason = [...kinds]
      .map(([why, { times, example }]) => `${why} ${times} times: ${example}`)
      .join('; ');
    const counts = Object.fromEntries([...kinds].map(([why, { times }]) => [why, times]));
    if (!record({ action: 'junk-dropped', outcome: 'refused', details: { ...counts, reason } }))
      return;
    kinds = new Map();
  };
  const timer = setInterval(flush, everyMs);
  timer.unref();
  return {
    count: (why, example) => {
      const found = kinds.get(why);
      if (found !== undefined) found.times += 1;
      else kinds.set(why, { times: 1, example: firstLine(example) });
      total += 1;
    },
    total: () => total,
    stop: () => {
      clearInterval(timer);
      flush();
    },
  };
};
