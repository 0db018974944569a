import type { Redis } from 'ioredis';

/**
 * End a connection for good: what still waits for an answer, or to be sent, is rejected within seconds. Between two
 * attempts to connect ioredis only gives up the next one, and whoever waits for a command would wait for ever: so one more is
 * begun, with which they end.
 */
export const endConnection = (redis: Redis): void => {
  if (redis.status === 'reconnecting') redis.connect().catch(() => undefined);
  redis.disconnect();
};
