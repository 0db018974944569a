import type { Redis } from 'ioredis';
import { UnrecoverableError } from 'bullmq';
import type { Advisory } from '../../core/advisories/advisory.ts';
import type { RedisAddress } from '../../jobs/connections.ts';
import { connectWorker } from '../../jobs/connections.ts';
import { advisoryLimits } from '../../jobs/job-options.ts';
import type { OwnKeys } from '../../jobs/key-files.ts';
import type { QueueCache } from '../../jobs/queue-cache.ts';
import { advisoriesQueue } from '../../jobs/queue-names.ts';
import { readAdvisoryJob } from '../../jobs/read-advisory-job.ts';
import { repeat } from '../../jobs/repeat.ts';
import { verifyKeyOf } from '../../jobs/signing-key.ts';
import { createSteadyWorker } from '../../jobs/steady-worker.ts';
import type { Store } from '../../store/open-store.ts';
import type { Coordinator } from './coordinate.ts';
import { startMatcher } from './matcher.ts';
import type { Matcher } from './matcher.ts';
import { relayAdvisories } from './relay-advisories.ts';

export interface FollowOptions {
  store: Store;
  /** For the worker's own connections, and the one of `queues`. */
  address: RedisAddress;
  redis: Redis;
  queues: QueueCache;
  keys: OwnKeys;
  coordinator: Pick<Coordinator, 'submit'>;
  exploitedFeeds: ReadonlySet<string>;
  trackerFeeds: ReadonlySet<string>;
  /** Kinds of advisories that some policy asks for. */
  kinds: ReadonlySet<Advisory['kind']>;
  serverNow: () => number;
  wallNow: () => number;
  monotonicMs: () => number;
  onRefused: (from: string, reason: string) => void;
  onError: (error: unknown, what: string) => void;
}

/** What advisories mean for the fleet. */
export interface FollowedAdvisories {
  matcher: Matcher;
  /** Something new is in the store. */
  wake: () => void;
  stop: () => Promise<void>;
}

const relayEveryMs = 1_000;
/** While much waits, so much for the worker to do that it is never idle, and never more than a batch behind. */
const busyMs = 100;

/** Advisories from the store through their queue to the matcher, and what they mean to the coordinator. */
export const followAdvisories = async (options: FollowOptions): Promise<FollowedAdvisories> => {
  const { store, redis, queues, keys, onError } = options;
  const matcher = await startMatcher({
    store,
    wallNow: options.wallNow,
    exploitedFeeds: options.exploitedFeeds,
    trackerFeeds: options.trackerFeeds,
    kinds: options.kinds,
    tell: async (told) => {
      await options.coordinator.submit({ kind: 'needs', told });
    },
    onError,
  });
  const signingKeys = [keys.active, ...(keys.other === null ? [] : [keys.other])];
  const serverKeys = signingKeys.map(verifyKeyOf);
  const worker = createSteadyWorker({
    queueName: advisoriesQueue,
    concurrency: 20,
    ...{ limits: advisoryLimits, owned: true },
    connect: (hear) => connectWorker(options.address, hear),
    handle: async ({ data }) => {
      const read = readAdvisoryJob(data, serverKeys);
      if (!read.ok) {
        options.onRefused('advisories', read.reason);
        throw new UnrecoverableError(read.reason);
      }
      await matcher.take(read.published);
    },
    onDamage: (text) => {
      options.onRefused('queue of advisories', text);
    },
    onProblem: (text) => {
      onError(new Error(text), 'advisories');
    },
    nowMs: options.monotonicMs,
  });
  let again: NodeJS.Timeout | undefined;
  const relaying = repeat(
    async () => {
      const waiting = await relayAdvisories({
        ...{ store, redis, queues, serverNow: options.serverNow },
        signingKey: () => keys.active,
      });
      if (waiting > 0) again = setTimeout(relaying.wake, busyMs);
    },
    {
      everyMs: relayEveryMs,
      onError: (error) => {
        onError(error, 'relay of advisories');
      },
    },
  );
  return {
    matcher,
    wake: relaying.wake,
    stop: async () => {
      clearTimeout(again);
      await relaying.stop();
      clearTimeout(again);
      await worker.close(5_000);
      await matcher.stop();
    },
  };
};
