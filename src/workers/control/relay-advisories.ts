import type { Redis } from 'ioredis';
import type { AdvisoryPublished } from '../../jobs/advisory-published.ts';
import { putAdvisories } from '../../jobs/put-advisories.ts';
import type { QueueCache } from '../../jobs/queue-cache.ts';
import type { SigningKey } from '../../jobs/signing-key.ts';
import { unmatchedAdvisories } from '../../store/advisories.ts';
import type { Store } from '../../store/open-store.ts';

/** So many are on their way at once. */
const atOnce = 500;

export interface AdvisoryRelayOptions {
  store: Store;
  /** The connection of `queues`. */
  redis: Redis;
  queues: QueueCache;
  signingKey: () => SigningKey;
  serverNow: () => number;
}

/**
 * One pass of the advisories' relay: what the store has and the matcher has not seen is put into its queue, under the same id
 * each time. It holds no truth: a job that Redis lost is put in again. Answers how many wait.
 */
export const relayAdvisories = async (options: AdvisoryRelayOptions): Promise<number> => {
  if (options.redis.status !== 'ready') return 0;
  const waiting = await unmatchedAdvisories(options.store.db, atOnce);
  if (waiting.length === 0) return 0;
  const published = waiting.map(({ feed, id, hash }): AdvisoryPublished => ({
    ...{ feed, advisoryId: id, contentHash: hash },
  }));
  await putAdvisories(options.queues, published, {
    key: options.signingKey(),
    serverNow: options.serverNow(),
  });
  return waiting.length;
};
