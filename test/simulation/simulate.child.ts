import { parentPort } from 'node:worker_threads';
import type { Done } from '../model/pool.ts';
import { loadSimCore } from './sim-core.ts';
import { simulate } from './simulate.ts';
import type { Batch, Seeds } from './simulate.ts';

/** Seeds of schedules to run. */
export interface Task extends Seeds {
  /** Folder of the compiled core. */
  core: string;
}

const work = async (task: Task): Promise<Done<Batch>> => {
  try {
    return { result: simulate(await loadSimCore(task.core), task) };
  } catch (error) {
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
};

parentPort?.on('message', (task: Task) => {
  void work(task).then((done) => parentPort?.postMessage(done));
});
