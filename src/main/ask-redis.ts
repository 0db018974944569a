import type { RedisFacts } from '../cli/local/doctor-checks/redis-check.ts';
import { hostIdOf } from '../config/host-id.ts';
import type { Configuration } from '../config/schema.ts';
import { infoField } from '../core/redis-fault.ts';
import { hostProbeKey } from '../jobs/queue-names.ts';
import { within } from '../jobs/within.ts';
import { redisFrom } from './from-config.ts';

/** One that answers later than this is silent to who waits for it. */
const limitMs = 5_000;

/**
 * Ask the Redis of the configuration, or the embedded one, for what matters, and write to it where both the server's user
 * and this host's own may. Rejects with the reason where it does not answer.
 */
export const askRedis = async (config: Configuration): Promise<RedisFacts> => {
  // Only here: no other local verb needs Redis and its client.
  const { connectSender, placeOfRedis } = await import('../jobs/connections.ts');
  const { endConnection } = await import('../jobs/end-connection.ts');
  const { probeRedis } = await import('../jobs/probe-redis.ts');
  const { embeddedRedisAddress } = await import('./redis-child.ts');
  const address = redisFrom(config) ?? (await embeddedRedisAddress(config.dataDirectory));
  if (address === null) throw new Error('the embedded Redis was never started: groundswell up');
  const redis = connectSender(address, () => undefined);
  try {
    const ready = new Promise<void>((resolve, reject) => {
      redis.once('ready', resolve);
      redis.once('error', reject);
    });
    await within(ready, limitMs, 'connecting');
    const key = hostProbeKey(hostIdOf(config));
    const { info, faults } = await within(probeRedis(redis, key, 'doctor'), limitMs, 'a command');
    await redis.del(key).catch(() => 0);
    const field = (name: string): string | null => (info === null ? null : infoField(info, name));
    const appendOnly = field('aof_enabled');
    return {
      where: placeOfRedis(address),
      version: field('redis_version') ?? 'of a version that it does not tell',
      faults,
      appendOnly: appendOnly === null ? null : appendOnly === '1',
    };
  } finally {
    endConnection(redis);
  }
};
