import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { queuePrefix } from './queue-names.ts';
import { within } from './within.ts';

const closeLimitMs = 1_000;

/** Queue objects by name, all on one connection; the least recently used are closed. */
export interface QueueCache {
  /** Open or reuse. Redis must be there: a Queue that is made while it is away waits for it (for ever). */
  queue: (name: string) => Queue;
  /** Number of Queue objects that are open. */
  size: () => number;
  /** Close them all; the connection belongs to whoever made it. */
  close: () => Promise<void>;
}

/**
 * Every open Queue puts listeners on the shared connection, and opening one costs half a millisecond: so as
 * many are kept open as are likely to be in use, and no more.
 */
export const createQueueCache = (
  redis: Redis,
  { capacity, onError }: { capacity: number; onError: (error: Error) => void },
): QueueCache => {
  // A Map keeps the order of insertion: the first is the least recently used.
  const open = new Map<string, Queue>();
  const closing = new Set<Promise<void>>();
  redis.setMaxListeners(capacity * 8 + 100);
  const closeOne = (queue: Queue): void => {
    const closed = queue
      .close()
      .catch(onError)
      .finally(() => closing.delete(closed));
    closing.add(closed);
  };
  return {
    queue: (name) => {
      const found = open.get(name);
      if (found !== undefined) {
        open.delete(name);
        open.set(name, found);
        return found;
      }
      const queue = new Queue(name, { connection: redis, prefix: queuePrefix(name) });
      queue.on('error', onError);
      open.set(name, queue);
      // One whose connecting failed (no right to INFO, Redis lost in between) rejects whatever it is asked, for ever.
      queue.waitUntilReady().catch(() => {
        if (open.get(name) !== queue) return;
        open.delete(name);
        closeOne(queue);
      });
      if (open.size > capacity)
        for (const [oldest, old] of open) {
          open.delete(oldest);
          closeOne(old);
          break;
        }
      return queue;
    },
    size: () => open.size,
    close: async () => {
      for (const queue of open.values()) closeOne(queue);
      open.clear();
      // One that was opened while Redis was away waits for it without end.
      await within(Promise.all(closing), closeLimitMs, 'closing queues').catch(() => undefined);
    },
  };
};
