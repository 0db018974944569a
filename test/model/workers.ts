import type { Task } from './explore.child.ts';
import type { Exploration } from './explore.ts';
import { startPool } from './pool.ts';
import type { Walks } from './walk.ts';
import type { Scenario } from './world.ts';

export interface Workers {
  explore: (core: string, scenario: Scenario) => Promise<Exploration>;
  walk: (core: string, scenario: Scenario, seeds: Task['seeds']) => Promise<Walks>;
  stop: () => Promise<void>;
}

/** Explorations side by side, one on each core of the machine (four at most). */
export const startWorkers = (file: string): Workers => {
  const { ask, stop } = startPool<Task, Exploration | Walks>(file);
  return {
    explore: async (core, scenario) => (await ask({ core, scenario, seeds: null })) as Exploration,
    walk: async (core, scenario, seeds) => (await ask({ core, scenario, seeds })) as Walks,
    stop,
  };
};
