import type { Redis } from 'ioredis';
import { within } from './within.ts';

/** A Redis that is there answers a ping within a few milliseconds. */
const pingLimitMs = 500;

/** Whether Redis answers now: a connection may look sound and swallow whatever is sent. */
export const redisAnswers = (redis: Redis): Promise<boolean> =>
  redis.status === 'ready'
    ? within(redis.ping(), pingLimitMs, 'ping').then(
        () => true,
        () => false,
      )
    : Promise.resolve(false);
