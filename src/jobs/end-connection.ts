import type { Redis } from 'ioredis';

/** What was sent on a connection that was lost; ioredis keeps it for the next one. */
interface Unanswered {
  prevCommandQueue?: { length: number; shift: () => { command: { reject: (e: Error) => void } } };
}

/**
 * End a connection for good: what still waits for an answer, or to be sent, is rejected within seconds. Between two
 * attempts to connect ioredis only gives up the next one, and whoever waits for a command would wait for ever: so one more is
 * begun, with which they end. What was sent before the loss it forgets where an attempt has come as far as a connection.
 */
export const endConnection = (redis: Redis): void => {
  if (redis.status === 'reconnecting') redis.connect().catch(() => undefined);
  redis.disconnect();
  const { prevCommandQueue: sent } = redis as unknown as Unanswered;
  while (sent !== undefined && sent.length > 0)
    sent.shift().command.reject(new Error('Connection is closed.'));
};
