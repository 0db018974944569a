import type { Redis } from 'ioredis';
import { errorText } from '../core/error-text.ts';
import type { HostId } from '../core/ids.ts';
import { redisUserRules } from './redis-user.ts';

/** What is left for a person to do where Redis does not keep its users by itself. */
const unsaved = (hostId: HostId, why: string): string =>
  `Redis forgets it when it is restarted (${why}): put the line that \`groundswell agent --redis-user\` prints on ${hostId} into its aclfile`;

/** Users are no part of what replicas copy. */
const replicasOf = async (redis: Pick<Redis, 'call'>): Promise<number> => {
  const [, , replicas] = (await redis.call('ROLE')) as unknown[];
  return Array.isArray(replicas) ? replicas.length : 0;
};

/**
 * Make the Redis user of one host, with the least rights that work, or make it anew: named like the host, with the password
 * whose SHA-256 this is (ACL SETUSER). `redis` has every right. Answers what a person still has to do, in
 * words; throws where it was not made.
 */
export const makeRedisUser = async (
  redis: Pick<Redis, 'call'>,
  hostId: HostId,
  passwordSha256: string,
): Promise<string[]> => {
  // Whoever takes its own rights away has locked itself out of Redis.
  const own = await redis.call('ACL', 'WHOAMI');
  if (hostId === own || hostId === 'default')
    throw new Error(
      `a host cannot be named like a user that Redis has for others: ${hostId}; give the server a user of another name, or the host another id`,
    );
  await redis.call('ACL', 'SETUSER', hostId, ...redisUserRules(hostId), `#${passwordSha256}`);
  const saved = await redis.call('ACL', 'SAVE').then(
    () => null,
    (error: unknown) => errorText(error),
  );
  const replicas = await replicasOf(redis);
  return [
    ...(saved === null ? [] : [unsaved(hostId, saved)]),
    ...(replicas === 0
      ? []
      : [
          `its ${replicas === 1 ? 'replica has users of its own' : `${replicas} replicas have users of their own`}: make it there, too`,
        ]),
  ];
};
