import type { Redis } from 'ioredis';
import { errorText } from '../core/error-text.ts';
import { faultOfError, faultsOfInfo } from '../core/redis-fault.ts';
import type { RedisFault } from '../core/redis-fault.ts';

/** What one look at a Redis found. */
export interface Probed {
  /** Each kind once. */
  faults: RedisFault[];
  /** What `INFO` answered; null: nothing. */
  info: string | null;
  /** What lay at the key before; null: nothing, or it could not be read. */
  before: string | null;
  /** Whether the new value lies there now. */
  written: boolean;
}

/**
 * Ask a Redis how it is, and write to it: only a write tells whether it takes writes (a replica, a full memory). Waits as
 * long as the connection does. A connection that is lost is a fault like others; never rejects.
 */
export const probeRedis = async (
  redis: Pick<Redis, 'info' | 'get' | 'set'>,
  key: string,
  value: string,
): Promise<Probed> => {
  const [info, before, set] = await Promise.allSettled([
    redis.info(),
    redis.get(key),
    redis.set(key, value),
  ]);
  const refused = [info, set].flatMap((one) =>
    one.status === 'rejected' ? [faultOfError(errorText(one.reason))] : [],
  );
  const told = info.status === 'fulfilled' ? faultsOfInfo(info.value) : [];
  const isFull = refused.some(({ kind }) => kind === 'full');
  // INFO names the master of a replica, so it has the last word.
  const faults = new Map([...refused, ...told].map((fault) => [fault.kind, fault]));
  if (isFull) faults.delete('nearly-full');
  return {
    faults: [...faults.values()],
    info: info.status === 'fulfilled' ? info.value : null,
    before: before.status === 'fulfilled' ? before.value : null,
    written: set.status === 'fulfilled',
  };
};
