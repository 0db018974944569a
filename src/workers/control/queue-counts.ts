import type { QueueCounts } from '../../core/coordinator/api-rows.ts';
import type { QueueCache } from '../../jobs/queue-cache.ts';
import { fleetQueue, hostQueue } from '../../jobs/queue-names.ts';

/** Counts of the fleet's queue and of each host's, as Redis has them now. */
export const countQueues = (queues: QueueCache, hosts: readonly string[]): Promise<QueueCounts[]> =>
  Promise.all(
    [fleetQueue, ...hosts.map(hostQueue)].map(async (name) => {
      const queue = queues.queue(name);
      const counts = await queue.getJobCounts(
        'waiting',
        'active',
        'delayed',
        'completed',
        'failed',
      );
      return {
        name,
        waiting: counts['waiting'] ?? 0,
        active: counts['active'] ?? 0,
        delayed: counts['delayed'] ?? 0,
        completed: counts['completed'] ?? 0,
        failed: counts['failed'] ?? 0,
        paused: await queue.isPaused(),
      };
    }),
  );
