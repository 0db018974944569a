import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import type { HostId } from '../core/ids.ts';
import { connectWorker } from './connections.ts';
import type { RedisAddress } from './connections.ts';
import type { Envelope } from './envelope.ts';
import { jobLimits, reportOptions } from './job-options.ts';
import {
  controlRecordKey,
  fleetQueue,
  hostQueue,
  presenceKey,
  queuePrefix,
} from './queue-names.ts';
import { createSteadyWorker } from './steady-worker.ts';
import type { SteadyTimes } from './steady-worker.ts';
import { within } from './within.ts';

/** What an agent shows of itself while it lives; for people, never a ground for a decision. */
export const Presence = z.strictObject({
  version: z.string(),
  incarnation: z.string(),
  pid: z.int(),
  /** Why it can take no jobs and tell nothing, although it reaches Redis. */
  trouble: z.string().max(1_000).optional(),
});
export type Presence = z.infer<typeof Presence>;

/** How long a presence lasts without being renewed. */
export const presenceTtlMs = 30_000;

/** So many commands may be on their way, those included that nobody waits for any more. */
const mostUnanswered = 50;

/** An agent's two connections to Redis, and all that goes over them. */
export interface AgentLink {
  /**
   * Put one sending of a report into the fleet's queue. Rejects when Redis is away or slow; the report is
   * sent again until it is acknowledged (R8), so a late arrival does no harm.
   */
  sendReport: (envelope: Envelope) => Promise<void>;
  /** The text at this host's control record; null: there is none. Rejects when Redis is away or slow. */
  fetchControlRecord: () => Promise<string | null>;
  showPresence: (presence: Presence) => Promise<void>;
  rebuilds: () => number;
  /** Why this host's queue cannot be worked although Redis answers; null: it can. */
  trouble: () => string | null;
  close: (limitMs: number) => Promise<void>;
}

/**
 * Connect an agent. `onJob` gets what lies in the host's queue as it lies there, to be verified; when it
 * resolves the job is over for BullMQ, so it must have been journaled (R4). Answers never go through it.
 */
export const createAgentLink = (options: {
  address: RedisAddress;
  hostId: HostId;
  onJob: (data: unknown) => Promise<void>;
  onProblem: (text: string) => void;
  /** The host's queue held what nobody of ours wrote, and was emptied. */
  onDamage: (reason: string) => void;
  /** Monotonic. */
  nowMs: () => number;
  limitMs?: number;
  times?: SteadyTimes;
}): AgentLink => {
  const { address, hostId, nowMs, onProblem, onJob, times } = options;
  const limitMs = options.limitMs ?? 2_000;
  const worker = createSteadyWorker({
    queueName: hostQueue(hostId),
    // A job is over once it is journaled (R4): none is long, and order is the journal's matter.
    concurrency: 1,
    limits: jobLimits,
    // Its user has no right to look, and the pause of a host's queue is an operator's.
    owned: false,
    connect: (onError) => connectWorker(address, onError),
    handle: ({ data }) => onJob(data),
    onProblem,
    onDamage: options.onDamage,
    nowMs,
    ...(times === undefined ? {} : { times }),
  });
  let fleet: { redis: Redis; queue: Queue } | null = null;

  /** This connection queues commands while Redis is away: with hours of reports that would never end. */
  const ready = (): Redis => {
    const redis = worker.connection();
    if (redis.status !== 'ready') throw new Error(`Redis is away (${redis.status})`);
    return redis;
  };

  /** What was given up is still on its way: a Redis of seconds a command would get ever more to do. */
  let unanswered = 0;
  const limited = <T>(send: () => Promise<T>, what: string): Promise<T> => {
    if (unanswered >= mostUnanswered)
      throw new Error(`${what}: Redis is slow, ${unanswered} commands wait for its answer`);
    const sent = send();
    unanswered += 1;
    const settled = (): void => {
      unanswered -= 1;
    };
    sent.then(settled, settled);
    return within(sent, limitMs, what);
  };

  const fleetOn = (redis: Redis): Queue => {
    if (fleet?.redis === redis) return fleet.queue;
    fleet?.queue.close().catch(() => undefined);
    const queue = new Queue(fleetQueue, { connection: redis, prefix: queuePrefix(fleetQueue) });
    // The same errors reach the worker's listener through the shared connection.
    queue.on('error', () => undefined);
    const made = { redis, queue };
    fleet = made;
    // One whose connecting failed rejects whatever it is asked, for ever.
    queue.waitUntilReady().catch(() => {
      if (fleet === made) fleet = null;
    });
    return queue;
  };

  return {
    sendReport: async (envelope) => {
      const { id, kind } = envelope;
      const queue = fleetOn(ready());
      await limited(
        () => queue.add(kind, envelope, { ...reportOptions, jobId: id }),
        `report ${kind}`,
      );
    },
    fetchControlRecord: async () =>
      limited(() => ready().get(controlRecordKey(hostId)), 'control record'),
    showPresence: async (presence) => {
      await limited(
        () => ready().set(presenceKey(hostId), JSON.stringify(presence), 'PX', presenceTtlMs),
        'presence',
      );
    },
    rebuilds: worker.rebuilds,
    trouble: worker.trouble,
    close: async (closeLimitMs) => {
      await worker.close(closeLimitMs);
      // Its connection is the worker's, and gone.
      await fleet?.queue.close();
    },
  };
};

/** Who shows that it lives; null where nobody does, or what lies there cannot be read. */
export const readPresence = async (
  redis: Pick<Redis, 'get'>,
  hostId: HostId,
): Promise<Presence | null> => {
  const text = await redis.get(presenceKey(hostId));
  if (text === null) return null;
  try {
    return Presence.parse(JSON.parse(text));
  } catch {
    return null;
  }
};
