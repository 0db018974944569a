import { parentPort } from 'node:worker_threads';
import { loadCore } from './core.ts';
import { explore } from './explore.ts';
import type { Exploration } from './explore.ts';
import { firstWorld } from './first-world.ts';
import { judgeFor } from './judge.ts';
import type { Done } from './pool.ts';
import { walkAll } from './walk.ts';
import type { Walks } from './walk.ts';
import type { Scenario } from './world.ts';

export interface Task {
  /** Folder of the compiled core. */
  core: string;
  scenario: Scenario;
  /** Walk at random instead of visiting every state. */
  seeds: { from: number; count: number } | null;
}

const run = async ({ core: folder, scenario, seeds }: Task): Promise<Done<Exploration | Walks>> => {
  try {
    const core = await loadCore(folder);
    const result =
      seeds === null
        ? explore(core, firstWorld(core, scenario), judgeFor(core, scenario))
        : walkAll(core, scenario, seeds);
    return { result };
  } catch (error) {
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
};

parentPort?.on('message', (task: Task) => {
  void run(task).then((done) => parentPort?.postMessage(done));
});
