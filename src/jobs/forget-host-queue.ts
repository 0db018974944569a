import type { Redis } from 'ioredis';
import type { HostId } from '../core/ids.ts';
import type { QueueCache } from './queue-cache.ts';
import { controlRecordKey, hostQueue } from './queue-names.ts';

/** Take away what Redis holds for a host that is in the fleet no more: its queue with all jobs, and its control record. */
export const forgetHostQueue = async (
  redis: Redis,
  queues: QueueCache,
  hostId: HostId,
): Promise<void> => {
  if (redis.status !== 'ready') throw new Error(`connection is ${redis.status}`);
  await queues.queue(hostQueue(hostId)).obliterate({ force: true });
  await redis.del(controlRecordKey(hostId));
};
