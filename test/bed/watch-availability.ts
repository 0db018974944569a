import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { httpGet } from './ask.ts';
import type { BedContainer } from './containers.ts';
import type { Haproxy } from './haproxy.ts';

export interface AvailabilityReport {
  /** Per service, the fewest servers that were available at the same moment. */
  lowest: Record<string, number>;
  /** How often it was looked, and the longest time in between: what is shorter may be missed. */
  samples: number;
  longestGapMs: number;
  /** Of the whole time the share in which it may have missed a container that was down, see `blindAfterMs`. */
  blindShare: number;
}

export interface AvailabilityWatch {
  /** What has been seen up to now. */
  report: () => AvailabilityReport;
  stop: () => Promise<AvailabilityReport>;
}

/** A watcher that stood still for so long saw limits pass that nobody else saw. */
const stoodStillMs = 150;

/** The available servers per service at one moment; null where nothing can be said of it. */
type Look = () => Promise<ReadonlyMap<string, number> | null>;

/** What `look` answers; null also where this process itself stood still meanwhile, on a busy machine. */
const wideAwake = async (look: Look): ReturnType<Look> => {
  let [last, longestMs] = [performance.now(), 0];
  const note = (): void => {
    const now = performance.now();
    longestMs = Math.max(longestMs, now - last);
    last = now;
  };
  const timer = setInterval(note, 20);
  try {
    const seen = await look();
    note();
    return longestMs > stoodStillMs ? null : seen;
  } finally {
    clearInterval(timer);
  }
};

/** What is away for a shorter time may pass between two looks: services of the bed take longer to start. */
const blindAfterMs = 250;

/**
 * Why a report proves nothing of a wave that restarted containers of these services: the watcher looked too
 * seldom, was blind for too long, or has seen nobody away. `members`: how many there are of each service.
 */
export const provesNothing = (
  watcher: string,
  { lowest, samples, blindShare, longestGapMs }: AvailabilityReport,
  members: Readonly<Record<string, number>>,
): string[] => [
  ...(samples >= 50 ? [] : [`${watcher} looked ${samples} times only`]),
  ...(blindShare <= 0.2
    ? []
    : [
        `${watcher} was blind for ${Math.round(blindShare * 100)} % of the time, up to ${longestGapMs} ms`,
      ]),
  ...Object.entries(members).flatMap(([service, count]) =>
    (lowest[service] ?? count) < count ? [] : [`${watcher} saw nobody of ${service} away`],
  ),
];

interface Pace {
  everyMs: number;
  /** How many looks may be under way: with more than one none has to wait for an answer that never comes. */
  atOnce: number;
}

/**
 * Calls `look` every `everyMs` until stopped. What it answers while this process stood still is no sample,
 * and makes the gap longer.
 */
const watch = (look: Look, { everyMs, atOnce }: Pace): AvailabilityWatch => {
  const lowest = new Map<string, number>();
  const beganMs = performance.now();
  const sampledMs: number[] = [];
  let stopped = false;
  const isStopped = (): boolean => stopped;
  const report = (): AvailabilityReport => {
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
  };
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
        // One that fails stays among them, and is heard of below.
        one.catch(() => (stopped = true));
        underWay.add(one);
      }
      await sleep(everyMs);
    }
    await Promise.all(underWay);
  })();
  // Whoever stops the watch hears of its failure; until then it must not end the process.
  running.catch(() => undefined);
  return {
    report,
    stop: async () => {
      stopped = true;
      await running;
      return report();
    },
  };
};

/** Servers that HAProxy would send a request to, from `show stat`, every 5 ms by default. */
export const watchHaproxy = (haproxy: Haproxy, everyMs = 5): AvailabilityWatch =>
  watch(
    async () => {
      const available = new Map<string, number>();
      for (const { backend, status } of await haproxy.statistics())
        available.set(backend, (available.get(backend) ?? 0) + (status.startsWith('UP') ? 1 : 0));
      return available;
    },
    { everyMs, atOnce: 1 },
  );

/** One that is down does not answer at all; one that is up takes a connection at once, and its time for the answer. */
const connectMs = 400;
const answerMs = 5_000;

/** Null for one that was stopped between the question and its answer: it was neither up nor down. */
const isHealthy = (container: BedContainer): Promise<boolean | null> =>
  httpGet(container, '/health', {
    agent: new Agent({ keepAlive: false }),
    ...{ connectMs, timeoutMs: answerMs },
  }).then(
    ({ status }) => status === 200,
    (error: unknown) => ((error as NodeJS.ErrnoException).code === 'ECONNRESET' ? null : false),
  );

/**
 * Containers whose health path answers 200, asked directly and all at once, every 20 ms by default:
 * what an outside watcher sees, whatever the load balancer thinks.
 */
export const watchContainers = (
  containers: readonly BedContainer[],
  everyMs = 20,
): AvailabilityWatch =>
  watch(
    async () => {
      const answers = await Promise.all(containers.map(isHealthy));
      if (answers.includes(null)) return null;
      const available = new Map<string, number>();
      for (const [index, { service }] of containers.entries())
        available.set(service, (available.get(service) ?? 0) + (answers[index] === true ? 1 : 0));
      return available;
    },
    { everyMs, atOnce: Math.ceil(connectMs / everyMs) },
  );
