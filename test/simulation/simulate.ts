import fc from 'fast-check';
import { schedules } from './draw-schedule.ts';
import { run } from './run.ts';
import type { Run } from './run.ts';
import type { Schedule } from './schedule.ts';
import type { SimCore } from './sim-core.ts';

/** A schedule in which a rule does not hold, and the smallest of its kind that was found. */
export interface Found {
  seed: number;
  rule: string;
  message: string;
  /** Which shrunk form of the schedule it is; empty: the schedule itself. */
  path: string;
  schedule: Schedule;
}

export interface Batch {
  schedules: number;
  steps: number;
  virtualMs: number;
  seconds: number;
  stops: number;
  grants: number;
  waves: number;
  faults: Record<string, number>;
  found: Found[];
}

export const emptyBatch = (): Batch => ({
  ...{ schedules: 0, steps: 0, virtualMs: 0, seconds: 0, stops: 0, grants: 0, waves: 0 },
  faults: {},
  found: [],
});

/** Both together. */
export const added = (one: Batch, other: Batch): Batch => {
  const faults = { ...one.faults };
  for (const [kind, n] of Object.entries(other.faults)) faults[kind] = (faults[kind] ?? 0) + n;
  return {
    schedules: one.schedules + other.schedules,
    steps: one.steps + other.steps,
    virtualMs: one.virtualMs + other.virtualMs,
    seconds: one.seconds + other.seconds,
    stops: one.stops + other.stops,
    grants: one.grants + other.grants,
    waves: one.waves + other.waves,
    faults,
    found: [...one.found, ...other.found],
  };
};

/** The schedule of a seed, or one that it was shrunk to. */
export const scheduleOf = (seed: number, path = ''): Schedule => {
  const [schedule] = fc.sample(schedules, { seed, numRuns: 1, ...(path === '' ? {} : { path }) });
  if (schedule === undefined) throw new Error(`seed ${seed} has no schedule of path ${path}`);
  return schedule;
};

/** Shrinking may take so long; then the smallest so far is good enough. */
const shrinkMs = 20_000;

/** Fewer acts, a smaller fleet: as long as the same rule is broken. */
const shrink = (core: SimCore, seed: number, { rule, message }: Found): Found => {
  let last = message;
  const details = fc.check(
    fc.property(schedules, (schedule) => {
      const { violation } = run(core, schedule);
      if (violation?.rule !== rule) return true;
      last = violation.message;
      return false;
    }),
    { seed, numRuns: 1, interruptAfterTimeLimit: shrinkMs },
  );
  const path = details.counterexamplePath ?? '';
  return { seed, rule, message: last, path, schedule: scheduleOf(seed, path) };
};

const noteRun = (batch: Batch, { counts, virtualMs }: Run): void => {
  batch.schedules += 1;
  batch.steps += counts.steps;
  batch.virtualMs += virtualMs;
  batch.stops += counts.stops;
  batch.grants += counts.grants;
  batch.waves += counts.waves;
  for (const [kind, n] of Object.entries(counts.faults))
    batch.faults[kind] = (batch.faults[kind] ?? 0) + n;
};

/** Run the schedules of some seeds. `untilFound`: only up to the first in which a rule does not hold. */
export const simulate = (core: SimCore, { from, count, untilFound, shrinks }: Seeds): Batch => {
  const began = performance.now();
  const batch = emptyBatch();
  for (let seed = from; seed < from + count; seed++) {
    const schedule = scheduleOf(seed);
    const result = run(core, schedule);
    noteRun(batch, result);
    if (result.violation === null) continue;
    const found = { seed, ...result.violation, path: '', schedule };
    batch.found.push(shrinks ? shrink(core, seed, found) : found);
    if (untilFound) break;
  }
  batch.seconds = (performance.now() - began) / 1_000;
  return batch;
};

export interface Seeds {
  from: number;
  count: number;
  untilFound: boolean;
  shrinks: boolean;
}
