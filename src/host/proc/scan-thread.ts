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

/**
 * After so long something that the scan reads hangs (a file system that does not answer): all that it does by itself
 * has an end before, however hostile a container is.
 */
const LIMIT_MS: Record<ScanRequest['kind'], number> = {
  host: 600_000,
  container: 120_000,
  'still-stale': 120_000,
};

/** A thread that hangs in the kernel cannot be ended, and keeps its memory: so many are borne with. */
const MAX_HANGING = 3;

export interface ScanThreadOptions {
  /** The program of the thread. */
  entry?: URL;
  /** Does something after so many milliseconds, unless what it answers is called before. */
  after?: (ms: number, then: () => void) => () => void;
}

const afterMs = (ms: number, then: () => void): (() => void) => {
  const timer = setTimeout(then, ms).unref();
  return () => {
    clearTimeout(timer);
  };
};

/** The entry has this file's own ending: `.js` when compiled, `.ts` under a loader. */
const ownEntry = (): URL => new URL(import.meta.url.replace(/thread\.(\w+)$/, 'thread-entry.$1'));

/**
 * Starts the scan's thread. A scan that fails rejects; when the thread itself dies, or does not answer for very long,
 * every scan rejects, and the next one starts a new thread. The thread does not keep the process alive.
 */
export const startScanThread = (options: ScanThreadOptions = {}): ScanThread => {
  const { entry = ownEntry(), after = afterMs } = options;
  interface Waiting {
    kind: ScanRequest['kind'];
    resolve: (scan: unknown) => void;
    reject: (error: Error) => void;
  }
  /** In the order in which the thread answers. */
  const waiting = new Map<number, Waiting>();
  let worker: Worker | null = null;
  let lastId = 0;
  let hanging = 0;
  let stopWatching = (): void => undefined;

  const failAll = (from: Worker, error: Error): void => {
    if (worker !== from) return;
    worker = null;
    const failed = [...waiting.values()];
    waiting.clear();
    stopWatching();
    for (const { reject } of failed) reject(error);
  };
  const giveUp = (hung: Worker, limitMs: number): void => {
    hanging += 1;
    hung.unref();
    void hung.terminate().finally(() => {
      hanging -= 1;
    });
    failAll(
      hung,
      new Error(`the stale scan gave no answer for ${limitMs / 1000} s: what it reads hangs`),
    );
  };
  /** Gives the first that waits its time. */
  const watch = (asked: Worker): void => {
    stopWatching();
    const [first] = waiting.values();
    if (first === undefined) return;
    const limitMs = LIMIT_MS[first.kind];
    stopWatching = after(limitMs, () => {
      giveUp(asked, limitMs);
    });
  };
  const start = (): Worker => {
    const started = new Worker(entry);
    started.on('message', (answer: ScanAnswer) => {
      const one = waiting.get(answer.id);
      waiting.delete(answer.id);
      watch(started);
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
      if (hanging >= MAX_HANGING) {
        reject(new Error(`no stale scan: ${hanging} earlier ones still hang in what they read`));
        return;
      }
      const running = worker ?? start();
      lastId += 1;
      waiting.set(lastId, { kind: request.kind, resolve, reject });
      if (waiting.size === 1) watch(running);
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
