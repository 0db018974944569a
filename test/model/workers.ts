import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Done, Task } from './explore.child.ts';
import type { Exploration } from './explore.ts';
import type { Walks } from './walk.ts';
import type { Scenario } from './world.ts';

export interface Workers {
  explore: (core: string, scenario: Scenario) => Promise<Exploration>;
  walk: (core: string, scenario: Scenario, seeds: Task['seeds']) => Promise<Walks>;
  stop: () => Promise<void>;
}

interface Waiting {
  task: Omit<Task, 'id'>;
  resolve: (result: Exploration | Walks) => void;
  reject: (error: Error) => void;
}

/** Explorations side by side, one on each core of the machine (four at most), outside of jest's slow contexts. */
export const startWorkers = (file: string): Workers => {
  const queue: Waiting[] = [];
  const workers: Worker[] = [];
  const idle: Worker[] = [];
  const current = new Map<Worker, Waiting>();
  const next = (): void => {
    for (let worker = idle.at(-1); worker !== undefined; worker = idle.at(-1)) {
      const waiting = queue.shift();
      if (waiting === undefined) return;
      idle.pop();
      current.set(worker, waiting);
      worker.postMessage({ id: 0, ...waiting.task });
    }
  };
  for (let n = 0; n < Math.min(4, availableParallelism()); n++) {
    const worker = new Worker(file);
    worker.on('message', (done: Done) => {
      const waiting = current.get(worker);
      current.delete(worker);
      idle.push(worker);
      if ('error' in done) waiting?.reject(new Error(done.error));
      else waiting?.resolve(done.result);
      next();
    });
    // One that cannot even begin takes no work: without it all that waits would wait for ever.
    worker.on('error', (error) => {
      current.get(worker)?.reject(error);
      for (const { reject } of queue.splice(0)) reject(error);
    });
    workers.push(worker);
    idle.push(worker);
  }
  const ask = (task: Waiting['task']): Promise<Exploration | Walks> =>
    new Promise((resolve, reject) => {
      queue.push({ task, resolve, reject });
      next();
    });
  return {
    explore: async (core, scenario) => (await ask({ core, scenario, seeds: null })) as Exploration,
    walk: async (core, scenario, seeds) => (await ask({ core, scenario, seeds })) as Walks,
    stop: async () => {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
};
