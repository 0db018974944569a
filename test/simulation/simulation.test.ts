import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { cacheFolder, compileCore, compileSimulation } from '../model/compile.ts';
import { startPool } from '../model/pool.ts';
import type { Pool } from '../model/pool.ts';
import { brokenInSimulation } from './breaks.ts';
import type { Task } from './simulate.child.ts';
import { scheduleOf } from './simulate.ts';
import type { Batch } from './simulate.ts';

/**
 * Schedules of faults over the real core: always the same ones. `GROUNDSWELL_LONG=1` runs fifty times as many,
 * `GROUNDSWELL_SEED` begins elsewhere; `npm run simulate` tells more.
 */
const isLong = process.env['GROUNDSWELL_LONG'] === '1';
const from = Number(process.env['GROUNDSWELL_SEED'] ?? '1');
const count = isLong ? 100_000 : 2_000;
const perTask = 100;
const limitMs = isLong ? 7_200_000 : 900_000;
/** Each break is found within so many schedules. */
const foundWithin = 800;

const here = `${process.pid}-simulation`;
let pool: Pool<Task, Batch>;
let real: Promise<Batch[]>;
const broken = new Map<string, Promise<Batch>>();

const story = ({ found }: Batch): string[] =>
  found.map(
    ({ seed, path, rule, message }) =>
      `${rule}: ${message}\nreplay: npm run simulate -- --schedules 1 --seed ${seed}${path === '' ? '' : ` --path ${path}`}`,
  );

beforeAll(() => {
  pool = startPool<Task, Batch>(compileSimulation(here));
  const core = join(cacheFolder, here, 'src/core');
  const tasks = Array.from({ length: count / perTask }, (_, at) =>
    pool.ask({
      ...{ core, from: from + at * perTask, count: perTask },
      ...{ untilFound: true, shrinks: true },
    }),
  );
  real = Promise.all(tasks);
  real.catch(() => undefined);
  brokenInSimulation.forEach((rule, index) => {
    const result = Promise.resolve().then(() =>
      pool.ask({
        core: compileCore(join(here, `broken-${index}`), rule),
        ...{ from: 1, count: foundWithin, untilFound: true, shrinks: false },
      }),
    );
    result.catch(() => undefined);
    broken.set(rule.what, result);
  });
});

afterAll(async () => {
  await pool.stop();
  rmSync(join(cacheFolder, here), { recursive: true, force: true });
});

test(
  'the invariants hold, and all waves end, whatever goes wrong',
  async () => {
    const batches = await real;
    const sum = (of: (batch: Batch) => number): number =>
      batches.reduce((all, batch) => all + of(batch), 0);
    process.stdout.write(
      `simulation: ${sum(({ schedules }) => schedules)} schedules, ${sum(({ steps }) => steps)} steps, ${sum(({ stops }) => stops)} stops, ${sum(({ seconds }) => seconds).toFixed(0)} s of one core\n`,
    );
    expect(batches.flatMap(story)).toEqual([]);
    expect(sum(({ schedules }) => schedules)).toBe(count);
    // A fleet in which nothing is restarted would keep every rule.
    expect(sum(({ stops }) => stops)).toBeGreaterThan(count);
  },
  limitMs,
);

test(
  'the same schedule takes the same course again',
  async () => {
    const core = join(cacheFolder, here, 'src/core');
    const ask = (): Promise<Batch> =>
      pool.ask({ core, from, count: 20, untilFound: false, shrinks: false });
    const [one, other] = await Promise.all([ask(), ask()]);
    expect({ ...one, seconds: 0 }).toEqual({ ...other, seconds: 0 });
  },
  limitMs,
);

describe('a rule that is broken in the real code is found', () => {
  test.each(brokenInSimulation.map(({ rule, what, shownBy }) => [rule, what, shownBy] as const))(
    '%s: %s',
    async (_, what, shownBy) => {
      const batch = await broken.get(what);
      expect(shownBy).toContain(batch?.found[0]?.rule);
    },
    limitMs,
  );

  test(
    'and its schedule is shrunk to what it takes',
    async () => {
      const what = 'a server gives grants in a freeze';
      const index = brokenInSimulation.findIndex((one) => one.what === what);
      await broken.get(what);
      const core = join(cacheFolder, here, `broken-${index}`, 'src/core');
      const batch = await pool.ask({
        ...{ core, from: 1, count: foundWithin, untilFound: true, shrinks: true },
      });
      const [found] = batch.found;
      const kinds = found?.schedule.acts.map(({ kind }) => kind) ?? [];
      expect(kinds).toContain('freeze');
      expect(kinds.length).toBeLessThan(scheduleOf(found?.seed ?? 0).acts.length);
      expect(scheduleOf(found?.seed ?? 0, found?.path)).toEqual(found?.schedule);
    },
    limitMs,
  );
});
