import { Worker } from 'node:worker_threads';
import type { ContainerScan } from '../../core/observation.ts';
import type { HostScan } from './scan-host.ts';
import type { ContainerRoot } from './scan-surroundings.ts';

/** What of an earlier scan its container is asked about again. */
export type EarlierScan = Pick<ContainerScan, 'instance' | 'stale'>;

/** A scan as the thread is asked for it. */
export type ScanRequest =
  | { kind: 'host'; containers: readonly ContainerRoot[] }
  | { kind: 'container'; name: string; containers: readonly ContainerRoot[] }
  | { kind: 'still-stale'; earlier: EarlierScan; container: ContainerRoot };

export type ScanAnswer = { id: number } & (
  { ok: true; scan: HostScan | ContainerScan | boolean } | { ok: false; error: string }
);

/** Scans beside the main thread, one after another, and remembers what stays valid between them. */
export interface ScanThread {
  scanHost: (containers: readonly ContainerRoot[]) => Promise<HostScan>;
  /** `containers` are all of the host: one's processes are told from another's by their names. */
  scanContainer: (name: string, containers: readonly ContainerRoot[]) => Promise<ContainerScan>;
  /** Whether something that the earlier scan found stale still is; `false` says nothing (see `stillStale`). */
  stillStale: (earlier: EarlierScan, container: ContainerRoot) => Promise<boolean>;
  /** Ends the thread; scans under way fail. */
  close: () => Promise<void>;
}

/** The entry has this file's own ending: `.js` when compiled, `.ts` under a loader. */
const entry = (): URL => new URL(import.meta.url.replace(/thread\.(\w+)$/, 'thread-entry.$1'));

/**
 * Starts the scan's thread. A scan that fails rejects; when the thread itself dies every scan
 * rejects, and the next one starts a new thread. The thread does not keep the process alive.
 */
export const startScanThread = (): ScanThread => {
  type Waiting = { resolve: (scan: unknown) => void; reject: (error: Error) => void };
  const waiting = new Map<number, Waiting>();
  let worker: Worker | null = null;
  let lastId = 0;

  const failAll = (from: Worker, error: Error): void => {
    if (worker !== from) return;
    worker = null;
    const failed = [...waiting.values()];
    waiting.clear();
    for (const { reject } of failed) reject(error);
  };
  const start = (): Worker => {
    const started = new Worker(entry());
    started.on('message', (answer: ScanAnswer) => {
      const one = waiting.get(answer.id);
      waiting.delete(answer.id);
      if (waiting.size === 0) started.unref();
      if (answer.ok) one?.resolve(answer.scan);
      else one?.reject(new Error(answer.error));
    });
    started.on('error', (error) =>
      failAll(started, new Error('the scan thread died', { cause: error })),
    );
    started.on('exit', (code) =>
      failAll(started, new Error(`the scan thread ended with exit code ${code}`)),
    );
    worker = started;
    return started;
  };
  const ask = (request: ScanRequest): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const running = worker ?? start();
      lastId += 1;
      waiting.set(lastId, { resolve, reject });
      running.ref();
      running.postMessage({ id: lastId, request });
    });
  const layersOf = ({ name, lower, upper }: ContainerRoot): ContainerRoot => ({
    name,
    lower,
    upper,
  });
  return {
    scanHost: async (containers) =>
      (await ask({ kind: 'host', containers: containers.map(layersOf) })) as HostScan,
    scanContainer: async (name, containers) =>
      (await ask({
        ...{ kind: 'container', name },
        containers: containers.map(layersOf),
      })) as ContainerScan,
    stillStale: async ({ instance, stale }, container) =>
      (await ask({
        kind: 'still-stale',
        earlier: { instance, stale },
        container: layersOf(container),
      })) as boolean,
    close: async () => {
      await worker?.terminate();
    },
  };
};
