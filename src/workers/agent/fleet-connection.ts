import type { Redis } from 'ioredis';
import { presenceKey, fleetQueue } from '../../jobs/queue-names.ts';
import { createQueueCache } from '../../jobs/queue-cache.ts';
import type { QueueCache } from '../../jobs/queue-cache.ts';
import type { Envelope } from '../../jobs/envelope.ts';
import type { JobsOptions } from 'bullmq';
import type { HostId } from '../../core/ids.ts';

/** What the agent sends and reads besides its jobs, over the worker's connection (two per agent in all). */
export interface FleetConnection {
  add: (envelope: Envelope, options: JobsOptions) => Promise<unknown>;
  get: (key: string) => Promise<string | null>;
  /** Show for `seconds` that this agent lives. */
  present: (hostId: HostId, text: string, seconds: number) => Promise<unknown>;
  close: () => Promise<void>;
}

/** `connection` may be another one after each rebuild of the worker. All calls reject while Redis is away. */
export const createFleetConnection = (
  connection: () => Redis,
  onError: (error: Error) => void,
): FleetConnection => {
  let open: { redis: Redis; queues: QueueCache } | null = null;
  // Otherwise commands would pile up in the client while it is away, and a new Queue wait for ever.
  const ready = (): Redis => {
    const redis = connection();
    if (redis.status !== 'ready') throw new Error(`Redis is away (${redis.status})`);
    return redis;
  };
  const queues = (redis: Redis): QueueCache => {
    if (open?.redis === redis) return open.queues;
    void open?.queues.close();
    open = { redis, queues: createQueueCache(redis, { capacity: 1, onError }) };
    return open.queues;
  };
  return {
    add: async (envelope, options) =>
      queues(ready())
        .queue(fleetQueue)
        .add(envelope.kind, envelope, { ...options, jobId: envelope.id }),
    get: async (key) => ready().get(key),
    present: async (hostId, text, seconds) => ready().set(presenceKey(hostId), text, 'EX', seconds),
    close: async () => {
      await open?.queues.close();
    },
  };
};
