import type { Redis } from 'ioredis';
import { errorText } from '../core/error-text.ts';
import type { HostId } from '../core/ids.ts';
import { printable } from '../core/printable.ts';
import { connectOnce } from './connections.ts';
import type { RedisAddress } from './connections.ts';
import { endConnection } from './end-connection.ts';
import { presenceKey } from './queue-names.ts';
import { redisUserRules } from './redis-user.ts';
import { within } from './within.ts';

export interface MadeUser {
  /** What was done, for the record. */
  what: string;
  /** What a person still has to do, in words. */
  left: string[];
}

/** What Redis says goes to somebody's terminal. */
const saidBy = (error: unknown): string => printable(errorText(error)).slice(0, 300);

/** Whether the user's keys are those of this host; null: there is no such user. Redis 6 answers a list of keys, 7 a text. */
const isOurs = (user: unknown, hostId: HostId): boolean | null => {
  if (!Array.isArray(user)) return null;
  const fields = user as unknown[];
  return JSON.stringify(fields[fields.indexOf('keys') + 1]).includes(presenceKey(hostId));
};

/** The third field of ROLE of a master; users are no part of what replicas copy. */
const toldOfReplicas = ([, , replicas]: unknown[], isSentinel: boolean): string[] =>
  (Array.isArray(replicas) && replicas.length > 0) || isSentinel
    ? [
        'replicas have users of their own, and one of them may be the next master: make it there, too',
      ]
    : [];

/**
 * Make the Redis user of one host, with the least rights that work, or give it another password: named like the host, with the
 * password whose SHA-256 this is (ACL SETUSER). `redis` has every right. Throws where it was not made, or may not have
 * been; a user of that name that is another's is left as it is.
 */
export const makeRedisUser = async (
  redis: Pick<Redis, 'call'>,
  hostId: HostId,
  passwordSha256: string,
  { isSentinel = false } = {},
): Promise<MadeUser> => {
  const role = (await redis.call('ROLE')) as unknown[];
  if (role[0] !== 'master') throw new Error('this Redis is no master now: try again');
  const ours =
    hostId === 'default' || hostId === (await redis.call('ACL', 'WHOAMI'))
      ? false
      : isOurs(await redis.call('ACL', 'GETUSER', hostId), hostId);
  if (ours === false)
    throw new Error(
      `Redis has a user ${hostId} for something else: give the host another id (agent.hostId)`,
    );
  const rules = [...redisUserRules(hostId), `#${passwordSha256}`];
  await redis.call('ACL', 'SETUSER', hostId, ...rules);
  // Whoever came with the password of before.
  if (ours === true) await redis.call('CLIENT', 'KILL', 'USER', hostId);
  const unsaved = await redis.call('ACL', 'SAVE').then(() => null, saidBy);
  return {
    what: `${ours === true ? 'gave another password to' : 'made'} the Redis user`,
    left: [
      ...(unsaved === null
        ? []
        : [
            `Redis forgets it when it is restarted (${unsaved}); the line for its aclfile, where it has one: user ${hostId} ${rules.join(' ')}`,
          ]),
      ...toldOfReplicas(role, isSentinel),
    ],
  };
};

const limitMs = 10_000;

/**
 * The same, on a connection of its own that sends nothing twice: what was given up must not be done later, when somebody may
 * have decided otherwise.
 */
export const makeRedisUserAt = async (
  address: RedisAddress,
  hostId: HostId,
  passwordSha256: string,
): Promise<MadeUser> => {
  if (address.kind === 'socket')
    throw new Error(
      'the Redis that groundswell up has started is for this host alone: set redis.url in the configuration',
    );
  const redis = connectOnce(address);
  try {
    await within(redis.connect(), limitMs, 'connecting');
    const isSentinel = address.kind === 'sentinel';
    const making = makeRedisUser(redis, hostId, passwordSha256, { isSentinel });
    return await within(making, limitMs, `the user ${hostId} may have been made or not`);
  } catch (error) {
    throw new Error(saidBy(error), { cause: error });
  } finally {
    endConnection(redis);
  }
};
