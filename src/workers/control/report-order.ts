import type { SequencedReport } from '../../core/messages.ts';

/** Reports of one life of a host's journal, on their way to the coordinator. */
interface Line {
  /** The last one that was handed on; those after it wait. */
  last: number;
  waiting: Map<number, () => void>;
  /** Reports that have come and are not over: with the last of them the line goes. */
  underWay: number;
}

export interface ReportOrder {
  /** Resolves when it is this report's turn; at the latest after the limit, and then it is early (R9). */
  turn: (message: SequencedReport) => Promise<void>;
  /** It was handed on: the next one may come. */
  passed: (message: SequencedReport) => void;
  /** What was handed on did not become durable: begin anew from what did. */
  forget: (message: SequencedReport) => void;
  /** Nothing more comes of it. To be called once for each that has had its turn. */
  over: (message: SequencedReport) => void;
}

/**
 * Many jobs are worked on at once and may overtake each other by a few milliseconds. Without this an early
 * report would be dropped (R9) and come again only seconds later. Nothing is kept of a life of which no report is under way,
 * however many a host claims to have had: what became durable tells where it goes on.
 */
export const createReportOrder = (
  ackedSeq: (host: string, incarnation: string) => number,
  limitMs: number,
): ReportOrder => {
  const lines = new Map<string, Line>();
  const keyOf = ({ host, incarnation }: SequencedReport): string => `${host} ${incarnation}`;
  const durable = ({ host, incarnation }: SequencedReport): number => ackedSeq(host, incarnation);
  const lineOf = (message: SequencedReport): Line => {
    const found = lines.get(keyOf(message));
    if (found !== undefined) return found;
    const line = { last: durable(message), waiting: new Map<number, () => void>(), underWay: 0 };
    lines.set(keyOf(message), line);
    return line;
  };
  return {
    turn: (message) => {
      const line = lineOf(message);
      line.underWay += 1;
      // What was acknowledged comes no more, also where a restored store has forgotten that (R16).
      line.last = Math.max(line.last, message.acked);
      if (message.seq <= line.last + 1) return Promise.resolve();
      return new Promise((resolve) => {
        const timer = setTimeout(() => {
          line.waiting.delete(message.seq);
          resolve();
        }, limitMs);
        line.waiting.set(message.seq, () => {
          clearTimeout(timer);
          resolve();
        });
      });
    },
    passed: (message) => {
      const line = lineOf(message);
      if (message.seq !== line.last + 1) return;
      line.last = message.seq;
      const next = line.waiting.get(message.seq + 1);
      line.waiting.delete(message.seq + 1);
      next?.();
    },
    forget: (message) => {
      lineOf(message).last = durable(message);
    },
    over: (message) => {
      const line = lineOf(message);
      line.underWay -= 1;
      if (line.underWay <= 0) lines.delete(keyOf(message));
    },
  };
};
