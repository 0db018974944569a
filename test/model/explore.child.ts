import { parentPort } from 'node:worker_threads';
import { loadCore } from './core.ts';
import { explore } from './explore.ts';
import type { Exploration } from './explore.ts';
import { firstWorld } from './first-world.ts';
import { judgeFor } from './judge.ts';
import type { Scenario } from './world.ts';

export interface Task {
  id: number;
  /** Folder of the compiled core. */
  core: string;
  scenario: Scenario;
}

export type Done = { id: number; result: Exploration } | { id: number; error: string };

const run = async ({ id, core: folder, scenario }: Task): Promise<Done> => {
  try {
    const core = await loadCore(folder);
    return { id, result: explore(core, firstWorld(core, scenario), judgeFor(core, scenario)) };
  } catch (error) {
    return { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
};

parentPort?.on('message', (task: Task) => {
  void run(task).then((done) => parentPort?.postMessage(done));
});
