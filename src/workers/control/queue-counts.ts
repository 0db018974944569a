import type { QueueCounts } from '../../core/coordinator/api-rows.ts';
import type { QueueCache } from '../../jobs/queue-cache.ts';
import { countQueue } from '../../jobs/queue-counts.ts';
import { fleetQueue, hostQueue } from '../../jobs/queue-names.ts';

/** Counts of the fleet's queue and of each host's, as Redis has them now. */
export const countQueues = (queues: QueueCache, hosts: readonly string[]): Promise<QueueCounts[]> =>
  Promise.all([fleetQueue, ...hosts.map(hostQueue)].map((name) => countQueue(queues, name)));
