import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Endpoint } from './ask.ts';
import type { BedContainer } from './containers.ts';
import type { Haproxy } from './haproxy.ts';

export interface AvailabilityReport {
  /** Per service, the fewest servers that were available at the same moment. */
  lowest: Record<string, number>;
  /** How often it was looked, and the longest time in between: what is shorter may be missed. */
  samples: number;
  longestGapMs: number;
  /** Of the whole time the share in which it may have missed a container that was down. */
  blindShare: number;
}

export interface AvailabilityWatch {
  /** What has been seen up to now; rejects where a look failed. The watch is over then. */
  stop: () => Promise<AvailabilityReport>;
}

/** What is watched, for the thread that watches. */
export type Watched = { everyMs: number } & (
  { haproxySocket: string } | { containers: (Endpoint & { service: string })[] }
);

/** What the thread says: that it looks, then at the end what it saw. */
export type Said = { looks: true } | { report: AvailabilityReport };

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

// A thread does not take over what lets this one read TypeScript (Node.js 20).
const begin = `import('tsx/esm/api').then(({ register }) => {
  register();
  return import(require('node:worker_threads').workerData.file);
})`;

/** Resolves when it looks: in a thread of its own, which none of this process's other work keeps waiting. */
const watch = async (watched: Watched): Promise<AvailabilityWatch> => {
  // Compiled, as the quickstart is, it stands beside this file all the same.
  const compiled = import.meta.url.endsWith('.js');
  const file = new URL(`watch-availability.child.${compiled ? 'js' : 'ts'}`, import.meta.url);
  const workerData = { file: file.href, watched };
  const thread = new Worker(compiled ? file : begin, { eval: !compiled, workerData });
  // A look that fails ends the thread, perhaps before it is heard that it looks; whoever stops the watch hears of it,
  // until then it must end nothing else.
  const failed = once(thread, 'error').then(([error]) => {
    throw error as Error;
  });
  const next = (): Promise<Said> =>
    Promise.race([once(thread, 'message').then(([said]) => said as Said), failed]);
  const first = next();
  const last = first.then(next);
  last.catch(() => undefined);
  await first.catch(() => undefined);
  return {
    stop: async () => {
      thread.postMessage('stop');
      const said = await last;
      await thread.terminate();
      if (!('report' in said)) throw new Error('the watch began twice');
      return said.report;
    },
  };
};

/** Servers that HAProxy would send a request to, from `show stat`, every 5 ms by default. */
export const watchHaproxy = (haproxy: Haproxy, everyMs = 5): Promise<AvailabilityWatch> =>
  watch({ everyMs, haproxySocket: haproxy.socketPath });

/**
 * Containers whose health path answers 200, asked directly and all at once, every 20 ms by default:
 * what an outside watcher sees, whatever the load balancer thinks.
 */
export const watchContainers = (
  containers: readonly BedContainer[],
  everyMs = 20,
): Promise<AvailabilityWatch> =>
  watch({
    everyMs,
    containers: containers.map(({ service, address, port }) => ({ service, address, port })),
  });
