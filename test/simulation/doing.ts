import type { Act } from './schedule.ts';
import type { Box, Machine, World } from './world.ts';

export interface At {
  act: Act;
  machine: Machine;
  /** Null: there is no container on that host. */
  box: Box | null;
}

/** Does it; answers what was done, or null where there was nothing to do it to. */
export type Doing = (world: World, at: At) => string | null;

/** Something lasts for a while. */
export const forAWhile = (world: World, { act }: At, begin: () => void, end: () => void): void => {
  begin();
  world.time.after(act.seconds * 1_000, end);
};
