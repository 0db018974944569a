import type { HostId } from '../core/ids.ts';
import { fleetQueue, hostQueue, presenceKey, queuePrefix } from './queue-names.ts';

/** QUIT is not among them: it needs no right, and Redis before 7.0 takes no rule that names it. */
const commands = [
  ...['hello', 'auth', 'client|setname', 'ping', 'info', 'evalsha', 'eval', 'bzpopmin'],
  ...['exists', 'set', 'get', 'del', 'incr', 'hget', 'hset', 'hmset', 'hmget', 'hgetall'],
  ...['hincrby', 'hdel', 'hexists', 'xadd', 'xtrim', 'smembers', 'sadd', 'srem', 'scard'],
  ...['lrange', 'lpush', 'rpush', 'rpoplpush', 'lrem', 'ltrim', 'llen', 'zadd', 'zrem', 'zcard'],
  ...['zrange', 'zrangebyscore', 'zrevrangebyscore', 'zrevrange', 'zremrangebyrank', 'zpopmin'],
];

/** What an `add` to the fleet's queue touches besides the job's own key. */
const fleetKeys = [
  ...['meta', 'id', 'wait', 'paused', 'active', 'delayed', 'completed', 'events', 'marker'],
];

/**
 * Rules for `ACL SETUSER` that let one host's agent do its work and no more: its own queue, adding to the
 * fleet's queue under job ids of its own (R2), its presence. Without INFO a worker spins; without HMSET BullMQ's
 * scripts break off half way: every update of BullMQ is tested against this list.
 */
export const redisUserRules = (hostId: HostId): string[] => {
  const own = hostQueue(hostId);
  const fleet = `${queuePrefix(fleetQueue)}:${fleetQueue}`;
  return [
    'reset',
    'on',
    `~${queuePrefix(own)}:${own}:*`,
    ...fleetKeys.map((key) => `~${fleet}:${key}`),
    `~${fleet}:${hostId}_*`,
    `~${presenceKey(hostId)}`,
    ...commands.map((command) => `+${command}`),
  ];
};
