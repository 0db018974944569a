import { beforeEach, describe, expect, test } from '@jest/globals';
import type { SequencedReport } from '../../../src/core/messages.ts';
import { createReportOrder } from '../../../src/workers/control/report-order.ts';
import type { ReportOrder } from '../../../src/workers/control/report-order.ts';

/** Long: what has to wait for it never gets its turn here. */
const limitMs = 600_000;

const report = (seq: number, more: Partial<SequencedReport> = {}): SequencedReport => ({
  ...{ host: 'h1', incarnation: 'life-1', seq, acked: 0, echo: [1, 1, 1] },
  report: { kind: 'audit-copied', seq, hash: 'h', record: {} },
  ...more,
});

/** Reports up to this number are durable. */
let durable: number;
/** How often it was asked for; it is for each line that begins. */
let asked: number;
let order: ReportOrder;
let turns: number[];
beforeEach(() => {
  [durable, asked, turns] = [0, 0, []];
  order = createReportOrder(() => {
    asked += 1;
    return durable;
  }, limitMs);
});

const come = (message: SequencedReport): void => {
  void order.turn(message).then(() => turns.push(message.seq));
};
const handOn = (seq: number): void => {
  order.passed(report(seq));
};
const end = (message: SequencedReport): void => {
  durable = Math.max(durable, message.seq);
  order.over(message);
};
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('reports that overtake each other', () => {
  test('get their turn one after the other', async () => {
    for (const seq of [3, 2, 1]) come(report(seq));
    await settle();
    expect(turns).toEqual([1]);
    handOn(1);
    await settle();
    expect(turns).toEqual([1, 2]);
    handOn(2);
    await settle();
    expect(turns).toEqual([1, 2, 3]);
  });

  test('of another life, or of what comes no more, wait for nothing', async () => {
    come(report(2));
    come(report(1, { incarnation: 'life-2' }));
    come(report(6, { host: 'h2', acked: 5 }));
    await settle();
    expect(turns).toEqual([1, 6]);
    handOn(1);
    await settle();
    expect(turns).toEqual([1, 6, 2]);
  });

  test('an early one is early after the limit (R9), and moves nothing', async () => {
    const soon = createReportOrder(() => 0, 1);
    await soon.turn(report(2));
    soon.passed(report(2));
    soon.over(report(2));
    // It comes again, behind the one that was missing.
    const turns = [soon.turn(report(1)).then(() => 1), soon.turn(report(2)).then(() => 2)];
    expect(await Promise.race([...turns].reverse())).toBe(1);
    await Promise.all(turns);
  });

  test('go on from what is durable where one that was handed on is not', async () => {
    come(report(1));
    handOn(1);
    come(report(3));
    order.forget(report(1));
    order.over(report(1));
    // It comes again, and so does the one behind it.
    come(report(1));
    await settle();
    expect(turns).toEqual([1, 1]);
    handOn(1);
    come(report(2));
    await settle();
    handOn(2);
    await settle();
    expect(turns).toEqual([1, 1, 2, 3]);
  });
});

describe('what is kept', () => {
  test('is nothing of a life whose reports are over: what is durable is asked for anew', async () => {
    for (const seq of [1, 2]) come(report(seq));
    await settle();
    handOn(1);
    end(report(1));
    come(report(3));
    await settle();
    // One line as long as any of them is under way.
    expect(asked).toBe(1);
    handOn(2);
    end(report(2));
    await settle();
    handOn(3);
    end(report(3));
    expect(turns).toEqual([1, 2, 3]);
    come(report(4));
    await settle();
    expect({ asked, turns }).toEqual({ asked: 2, turns: [1, 2, 3, 4] });
  });

  test('is nothing of lives without number that one host claims to have had', async () => {
    const lives = Array.from({ length: 1_000 }, (_, n) => report(1, { incarnation: `life-${n}` }));
    const all = async (): Promise<void> => {
      for (const one of lives) {
        await order.turn(one);
        order.passed(one);
        order.over(one);
      }
    };
    await all();
    const before = asked;
    await all();
    expect(asked - before).toBe(lives.length);
  });
});
