import type { QueueCounts } from '../core/coordinator/api-rows.ts';
import type { QueueCache } from './queue-cache.ts';

/** How full a queue is, for people: what is in flight is known by grants, never by these counts. */
export const countQueue = async (queues: QueueCache, name: string): Promise<QueueCounts> => {
  const queue = queues.queue(name);
  const [counts, paused] = await Promise.all([
    queue.getJobCounts('waiting', 'active', 'delayed', 'completed', 'failed'),
    queue.isPaused(),
  ]);
  return {
    name,
    waiting: counts['waiting'] ?? 0,
    active: counts['active'] ?? 0,
    delayed: counts['delayed'] ?? 0,
    completed: counts['completed'] ?? 0,
    failed: counts['failed'] ?? 0,
    paused,
  };
};
