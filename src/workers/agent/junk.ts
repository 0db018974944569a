import { beginningOf } from '../../core/beginning-of.ts';
import type { OwnAudit } from './audit-entry.ts';

/** Messages that nobody who may has signed for this host, or has not signed now, between two records. */
export interface Junk {
  /** `why`: `unsigned`, `wrong-recipient`, `unknown-key`, `malformed`, `other-content`, `rolled-back`, `damaged-queue`. */
  count: (why: string, example: string) => void;
  total: () => number;
  stop: () => void;
}

/** R7: counted, summed up in one audit record a minute, never answered. */
export const countJunk = ({
  everyMs,
  record,
}: {
  everyMs: number;
  /** Answers whether it is durable; if not, the sum goes into the next one. */
  record: (audit: OwnAudit) => boolean;
}): Junk => {
  let counts: Record<string, number> = {};
  let first = '';
  let total = 0;
  let sinceLast = 0;
  const flush = (): void => {
    if (sinceLast === 0) return;
    const details = { ...counts, example: first };
    if (!record({ action: 'junk-dropped', outcome: 'refused', details })) return;
    counts = {};
    first = '';
    sinceLast = 0;
  };
  const timer = setInterval(flush, everyMs);
  timer.unref();
  return {
    count: (why, example) => {
      counts[why] = (counts[why] ?? 0) + 1;
      if (first === '') first = beginningOf(example, 200);
      total += 1;
      sinceLast += 1;
    },
    total: () => total,
    stop: () => {
      clearInterval(timer);
      flush();
    },
  };
};
