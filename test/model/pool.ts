import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

/** What a worker answers: by the task's own kind, or why there is no answer. */
export type Done<Result> = { result: Result } | { error: string };

export interface Pool<Task, Result> {
  ask: (task: Task) => Promise<Result>;
  stop: () => Promise<void>;
}

interface Waiting<Task, Result> {
  task: Task;
  resolve: (result: Result) => void;
  reject: (error: Error) => void;
}

/** Work side by side, on so many cores of the machine, outside of jest's slow contexts. */
export const startPool = <Task, Result>(
  file: string,
  size = Math.min(4, availableParallelism()),
): Pool<Task, Result> => {
  const queue: Waiting<Task, Result>[] = [];
  const workers: Worker[] = [];
  const idle: Worker[] = [];
  const current = new Map<Worker, Waiting<Task, Result>>();
  const next = (): void => {
    for (let worker = idle.at(-1); worker !== undefined; worker = idle.at(-1)) {
      const waiting = queue.shift();
      if (waiting === undefined) return;
      idle.pop();
      current.set(worker, waiting);
      worker.postMessage(waiting.task);
    }
  };
  for (let n = 0; n < size; n++) {
    // Most of what is made is thrown away at once: with the room that Node gives by itself a fifth of the time goes there.
    const worker = new Worker(file, { resourceLimits: { maxYoungGenerationSizeMb: 192 } });
    worker.on('message', (done: Done<Result>) => {
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
  return {
    ask: (task) =>
      new Promise((resolve, reject) => {
        queue.push({ task, resolve, reject });
        next();
      }),
    stop: async () => {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
};
