import type { Redis } from 'ioredis';
import { errorText } from '../../core/error-text.ts';
import type { QueueCounts } from '../../core/coordinator/api-rows.ts';
import type { QueueCache } from '../../jobs/queue-cache.ts';
import { redisAnswers } from '../../jobs/redis-answers.ts';
import { countQueue } from '../../jobs/queue-counts.ts';
import { advisoriesQueue, fleetQueue, hostQueue } from '../../jobs/queue-names.ts';
import { within } from '../../jobs/within.ts';

/** The queues cannot be looked at; what is in flight goes on all the same. For the API: try again later. */
const redisAway = (why: string): Error =>
  Object.assign(
    new Error(
      `Redis does not answer (${why}), so its queues cannot be counted; nothing new begins until it does. See: groundswell status, groundswell doctor`,
    ),
    { statusCode: 503 },
  );

/** An operator waits for them; what takes longer is no answer. */
const limitMs = 2_000;

/**
 * Counts of the fleet's queue and of each host's, as Redis has them now. Throws, within seconds, where Redis
 * does not answer: nothing is opened or asked then, for BullMQ waits for it without end.
 */
export const countQueues = async (
  redis: Redis,
  queues: QueueCache,
  hosts: readonly string[],
): Promise<QueueCounts[]> => {
  if (!(await redisAnswers(redis))) throw redisAway(redis.status);
  const counts = Promise.all(
    [fleetQueue, advisoriesQueue, ...hosts.map(hostQueue)].map((name) => countQueue(queues, name)),
  );
  return within(counts, limitMs, 'counts').catch((error: unknown) => {
    throw redisAway(errorText(error));
  });
};
