import { Violation } from '../model/world.ts';
import { carryOut } from './acts.ts';
import { attendFromNowOn, mend } from './attentive.ts';
import { actsWithin } from './draw-schedule.ts';
import { firstWorld, settledMs } from './first-world.ts';
import { amiss, hasEnded, whatWaits } from './judge-end.ts';
import type { Schedule } from './schedule.ts';
import type { SimCore } from './sim-core.ts';
import type { Counts, World } from './world.ts';

/** After its faults a wave may take so long, in virtual ms, and so much more for each container. */
const endsWithinMs = 45 * 60_000;
const perBoxMs = 60_000;
const lookMs = 5_000;

export interface Run {
  violation: { rule: string; message: string } | null;
  counts: Counts;
  virtualMs: number;
  trace: string[];
}

/** When the last act of a schedule is over: what lasts ends with it. */
const quietAt = ({ acts }: Schedule): number =>
  settledMs +
  2_000 +
  1_000 * acts.reduce((latest, { at, seconds }) => Math.max(latest, at + seconds), 30);

const runWorld = (world: World): void => {
  const { schedule, time } = world;
  for (const act of schedule.acts)
    time.after(settledMs + 1_000 * Math.min(act.at, actsWithin), () => {
      carryOut(world, act);
    });
  const quiet = quietAt(schedule);
  time.after(quiet, () => {
    mend(world);
    attendFromNowOn(world);
  });
  while (time.step(quiet));
  const limit = quiet + endsWithinMs + perBoxMs * world.boxes.size;
  for (let at = quiet + lookMs; at < limit; at += lookMs) {
    while (time.step(at));
    if (hasEnded(world)) return;
  }
  const { rule, message } = amiss(world) ?? { rule: 'L1', message: 'the waves do not end' };
  throw new Violation(rule, [message, ...whatWaits(world)].join('\n'));
};

/** Let a schedule take its course, from a fleet at rest to one that is at rest again. */
export const run = (core: SimCore, schedule: Schedule, traced = false): Run => {
  const world = firstWorld(core, schedule, traced);
  const result = (violation: Run['violation']): Run => ({
    violation,
    counts: world.counts,
    virtualMs: world.time.now(),
    trace: world.trace ?? [],
  });
  try {
    runWorld(world);
    return result(null);
  } catch (error) {
    if (error instanceof Violation)
      return result({ rule: error.rule, message: error.message.slice(error.rule.length + 2) });
    // Core never throws, whatever comes.
    return result({
      rule: 'error',
      message: error instanceof Error ? (error.stack ?? '') : String(error),
    });
  }
};
