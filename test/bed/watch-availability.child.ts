import { readlinkSync } from 'node:fs';
import { createConnection } from 'node:net';
import { setPriority } from 'node:os';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import type { Endpoint } from './ask.ts';
import { openRuntime, parseServerStatistics, statisticsCommand } from './haproxy-runtime.ts';
import type { AvailabilityReport, Said, Watched } from './watch-availability.ts';

/** A watcher that stood still for so long saw limits pass that nobody else saw. */
const stoodStillMs = 150;

/** The available servers per service at one moment; null where nothing can be said of it. */
type Look = () => Promise<ReadonlyMap<string, number> | null>;

/** When this thread was last found to have stood still, on a busy machine. */
let stoodStillAt = -Infinity;
let awakeAt = performance.now();
const note = (): void => {
  const now = performance.now();
  if (now - awakeAt > stoodStillMs) stoodStillAt = now;
  awakeAt = now;
};
setInterval(note, 20).unref();

/** What `look` answers; null also where this thread stood still meanwhile. */
const wideAwake = async (look: Look): ReturnType<Look> => {
  note();
  const beganMs = performance.now();
  const seen = await look();
  note();
  return stoodStillAt > beganMs ? null : seen;
};

/** What is away for a shorter time may pass between two looks: services of the bed take longer to start. */
const blindAfterMs = 250;

interface Pace {
  everyMs: number;
  /** How many looks may be under way: with more than one none has to wait for an answer that never comes. */
  atOnce: number;
}

interface Watch {
  stop: () => Promise<AvailabilityReport>;
}

/**
 * Calls `look` every `everyMs` until stopped. What it answers while this thread stood still is no sample,
 * and makes the gap longer. A look that fails is an unhandled rejection, which ends the thread.
 */
const watch = (look: Look, { everyMs, atOnce }: Pace): Watch => {
  const lowest = new Map<string, number>();
  const beganMs = performance.now();
  const sampledMs: number[] = [];
  let stopped = false;
  const isStopped = (): boolean => stopped;
  const sample = async (): Promise<void> => {
    const atMs = performance.now();
    const seen = await wideAwake(look);
    if (seen === null) return;
    for (const [service, available] of seen)
      lowest.set(service, Math.min(lowest.get(service) ?? Infinity, available));
    sampledMs.push(atMs);
  };
  const running = (async () => {
    const underWay = new Set<Promise<void>>();
    while (!isStopped()) {
      if (underWay.size < atOnce) {
        const one: Promise<void> = sample().then(() => {
          underWay.delete(one);
        });
        underWay.add(one);
      }
      await sleep(everyMs);
    }
    await Promise.all(underWay);
  })();
  return {
    stop: async () => {
      stopped = true;
      await running;
      const nowMs = performance.now();
      // A look that took long ends after later ones.
      const times = [beganMs, ...sampledMs, nowMs].sort((a, b) => a - b);
      const gaps = times.map((time, index) => time - (times[index - 1] ?? time));
      const blindMs = gaps.filter((gap) => gap > blindAfterMs).reduce((sum, gap) => sum + gap, 0);
      return {
        lowest: Object.fromEntries(lowest),
        samples: sampledMs.length,
        longestGapMs: Math.round(gaps.reduce((longest, gap) => Math.max(longest, gap), 0)),
        blindShare: blindMs / Math.max(1, nowMs - beganMs),
      };
    },
  };
};

const lookAtHaproxy = (socketPath: string): Look => {
  const opened = openRuntime(socketPath);
  return async () => {
    const available = new Map<string, number>();
    const told = await (await opened)(statisticsCommand);
    for (const { backend, status } of parseServerStatistics(told))
      available.set(backend, (available.get(backend) ?? 0) + (status.startsWith('UP') ? 1 : 0));
    return available;
  };
};

/** One that is down does not answer at all; one that is up takes a connection at once, and its time for the answer. */
const connectMs = 400;
const answerMs = 5_000;

/**
 * Null for one that was stopped between the question and its answer: it was neither up nor down. On a bare socket:
 * Node.js's client of HTTP takes five times as long, and there are hundreds of questions a second.
 */
const isHealthy = ({ address, port }: Endpoint): Promise<boolean | null> =>
  new Promise((resolve) => {
    const socket = createConnection({ host: address, port });
    let answer = '';
    const over = (healthy: boolean | null): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(healthy);
    };
    let timer = setTimeout(over, connectMs, false);
    socket.on('connect', () => {
      clearTimeout(timer);
      timer = setTimeout(over, answerMs, false);
      socket.write(`GET /health HTTP/1.1\r\nHost: ${address}\r\nConnection: close\r\n\r\n`);
    });
    socket.on('data', (part) => (answer += part.toString('latin1')));
    /** What has no whole head was cut off. */
    const judge = (): void => {
      over(answer.includes('\r\n\r\n') ? /^HTTP\/1\.[01] 200 /.test(answer) : null);
    };
    socket.on('end', judge);
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET') judge();
      else over(false);
    });
  });

const lookAtContainers = (containers: readonly (Endpoint & { service: string })[]): Look => {
  return async () => {
    const answers = await Promise.all(containers.map(isHealthy));
    if (answers.includes(null)) return null;
    const available = new Map<string, number>();
    for (const [index, { service }] of containers.entries())
      available.set(service, (available.get(service) ?? 0) + (answers[index] === true ? 1 : 0));
    return available;
  };
};

/** A watcher that has to wait for its turn on a busy machine sees nothing. Linux keeps priorities by thread, setpriority(2). */
const goFirst = (): void => {
  try {
    setPriority(Number(basename(readlinkSync('/proc/thread-self'))), -10);
  } catch (error) {
    // Root without CAP_SYS_NICE: it is blind more often, and says so.
    if ((error as { info?: { code?: string } }).info?.code !== 'EACCES') throw error;
  }
};

goFirst();
const { everyMs, ...watched } = (workerData as { watched: Watched }).watched;
const { stop } =
  'haproxySocket' in watched
    ? watch(lookAtHaproxy(watched.haproxySocket), { everyMs, atOnce: 1 })
    : watch(lookAtContainers(watched.containers), {
        everyMs,
        atOnce: Math.ceil(connectMs / everyMs),
      });
const say = (said: Said): void => parentPort?.postMessage(said);
parentPort?.once('message', () => {
  void stop().then((report) => {
    say({ report });
  });
});
say({ looks: true });
