import { beginningOf } from '../../core/beginning-of.ts';
import type { StandingAlert } from '../../core/coordinator/standing-alerts.ts';
import type { SequencedReport } from '../../core/messages.ts';

/** What nobody we know signed (R7): counted, and told once a minute, so that a flood of it costs one record. */
export interface RefusedMessages {
  count: (from: string, reason: string) => void;
  /** Audit records of agents that came with these reports may say that they dropped such messages. */
  hear: (reports: readonly SequencedReport[]) => void;
  /** What is to be recorded now, or null: the first at once (`isFirst` for a while), then what comes within a minute together. */
  take: () => { total: number; reasons: string[]; isFirst: boolean } | null;
  /** What `status` shows, until ten minutes after the last one. */
  alerts: () => StandingAlert[];
}

const keptReasons = 5;
const recordEveryMs = 60_000;
const shownForMs = 600_000;

/** Refused messages that came without a pause of `shownForMs`, in one place. */
interface Series {
  since: number;
  lastAt: number;
  total: number;
  example: string;
}

const add = (before: Series | undefined, now: number, more: number, example: string): Series =>
  before === undefined || now - before.lastAt > shownForMs
    ? { since: now, lastAt: now, total: more, example }
    : { ...before, lastAt: now, total: before.total + more };

const remedy =
  'somebody writes to Redis who is not of this fleet, or a host is to be enrolled: groundswell audit list --outcome refused';

/** `wallMs`: the wall clock. */
export const createRefusedMessages = (wallMs: () => number): RefusedMessages => {
  let total = 0;
  let recordedAt = -Infinity;
  const reasons = new Map<string, number>();
  /** By the queue in which they came: `fleet`, or a host's. */
  const series = new Map<string, Series>();
  const note = (where: string, more: number, example: string): void => {
    series.set(where, add(series.get(where), wallMs(), more, example));
  };
  return {
    count: (from, reason) => {
      total += 1;
      const key = `${from}: ${beginningOf(reason.split('\n')[0] ?? '', 200)}`;
      if (reasons.has(key) || reasons.size < keptReasons)
        reasons.set(key, (reasons.get(key) ?? 0) + 1);
      note('the fleet', 1, key);
    },
    hear: (reports) => {
      for (const { host, report } of reports) {
        if (report.kind !== 'audit-copied' || report.record['action'] !== 'junk-dropped') continue;
        const details = report.record['details'];
        const { reason, ...counts } = (
          typeof details === 'object' && details !== null ? details : {}
        ) as Record<string, unknown>;
        const more = Object.values(counts).filter((count) => typeof count === 'number');
        note(
          host,
          more.reduce((sum, count) => sum + count, 0),
          beginningOf(String(reason), 300),
        );
      }
    },
    take: () => {
      const now = wallMs();
      // A clock that was set back holds nothing up.
      if (total === 0 || (now >= recordedAt && now - recordedAt < recordEveryMs)) return null;
      const taken = {
        total,
        reasons: [...reasons].map(([reason, times]) => `${reason} (${times} times)`),
        isFirst: now < recordedAt || now - recordedAt > shownForMs,
      };
      total = 0;
      recordedAt = now;
      reasons.clear();
      return taken;
    },
    alerts: () => {
      const now = wallMs();
      for (const [where, { lastAt }] of series) if (now - lastAt > shownForMs) series.delete(where);
      return [...series].map(([where, { since, total: all, example }]) => ({
        since,
        text: `${all} messages to ${where} were refused, as nobody who may has written them (${example}): ${remedy}`,
      }));
    },
  };
};
