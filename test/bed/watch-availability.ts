import { setTimeout as sleep } from 'node:timers/promises';
import { fetchHealth } from './ask.ts';
import type { BedContainer } from './containers.ts';
import type { Haproxy } from './haproxy.ts';

export interface AvailabilityReport {
  /** Per service, the fewest servers that were available at the same moment. */
  lowest: Record<string, number>;
  /** How often it was looked, and the longest time in between: what is shorter may be missed. */
  samples: number;
  longestGapMs: number;
}

export interface AvailabilityWatch {
  /** What has been seen up to now. */
  report: () => AvailabilityReport;
  stop: () => Promise<AvailabilityReport>;
}

/** A watcher that stood still for so long saw limits pass that nobody else saw. */
const stoodStillMs = 150;

/** What `look` answers; null where this process itself stood still meanwhile, on a busy machine. */
const wideAwake = async <T>(look: () => Promise<T>): Promise<T | null> => {
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

/**
 * Calls `look` every `everyMs` until stopped; `look` answers the available servers per service. What it
 * answers while this process stood still is no sample, and makes the gap longer.
 */
const watch = (
  look: () => Promise<ReadonlyMap<string, number>>,
  everyMs: number,
): AvailabilityWatch => {
  const lowest = new Map<string, number>();
  let [samples, longestGapMs, stopped] = [0, 0, false];
  const isStopped = (): boolean => stopped;
  const report = (): AvailabilityReport => ({
    lowest: Object.fromEntries(lowest),
    samples,
    longestGapMs: Math.round(longestGapMs),
  });
  const running = (async () => {
    let last = performance.now();
    while (!isStopped()) {
      const seen = await wideAwake(look);
      if (seen !== null) {
        for (const [service, available] of seen)
          lowest.set(service, Math.min(lowest.get(service) ?? Infinity, available));
        const now = performance.now();
        longestGapMs = Math.max(longestGapMs, now - last);
        last = now;
        samples++;
      }
      await sleep(everyMs);
    }
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
  watch(async () => {
    const available = new Map<string, number>();
    for (const { backend, status } of await haproxy.statistics())
      available.set(backend, (available.get(backend) ?? 0) + (status.startsWith('UP') ? 1 : 0));
    return available;
  }, everyMs);

/**
 * Containers whose health path answers 200, asked directly and all at once, every 20 ms by default:
 * what an outside watcher sees, whatever the load balancer thinks.
 */
export const watchContainers = (
  containers: readonly BedContainer[],
  everyMs = 20,
): AvailabilityWatch =>
  watch(async () => {
    const answers = await Promise.all(
      containers.map(async (container) => ({
        service: container.service,
        healthy: await fetchHealth(container, 400),
      })),
    );
    const available = new Map<string, number>();
    for (const { service, healthy } of answers)
      available.set(service, (available.get(service) ?? 0) + (healthy ? 1 : 0));
    return available;
  }, everyMs);
