import type { Redis } from 'ioredis';
import { errorText } from '../core/error-text.ts';
import { jobKey, queuePrefix } from './queue-names.ts';

/** Keys of a queue besides those of its jobs, and what BullMQ keeps there. */
const parts = {
  ...{ wait: 'list', active: 'list', paused: 'list', delayed: 'zset', prioritized: 'zset' },
  ...{ 'waiting-children': 'zset', completed: 'zset', failed: 'zset', marker: 'zset' },
  ...{ stalled: 'set', 'stalled-check': 'string', limiter: 'string', meta: 'hash' },
  ...{ id: 'string', pc: 'string', events: 'stream', repeat: 'zset' },
} as const;

const keyOf = (queueName: string, part: string): string =>
  `${queuePrefix(queueName)}:${queueName}:${part}`;

/** What Redis says of a right that is missing, of being full, or of its own state: no word about what lies in a key. */
const aboutItself = /NOPERM|can't (?:run|access)|No permissions|OOM|READONLY|MISCONF|LOADING/;

/**
 * Whether an error says that a queue's keys hold what BullMQ never wrote there: a wrong type, or what its scripts cannot
 * reckon with.
 */
export const tellsOfDamage = (error: unknown): boolean => {
  const text = errorText(error);
  if (aboutItself.test(text)) return false;
  return (
    text.includes('WRONGTYPE') ||
    (text.startsWith('ERR ') && /user_script|running script|not an integer|not a valid/.test(text))
  );
};

/** What a queue's damage is looked for with. */
type DamageStore = Pick<Redis, 'type' | 'hmget' | 'get' | 'pttl' | 'xinfo'>;

/** Ids of a stream begin with the time: none of Redis's own is of after the year 2286. */
const latestStreamMs = 1e13;

/** Whether somebody has given the stream an id after which no own one comes any more: then no job can be added. */
const isSpent = async (redis: DamageStore, queueName: string): Promise<boolean> => {
  const told = await redis.xinfo('STREAM', keyOf(queueName, 'events')).catch((error: unknown) => {
    if (errorText(error).includes('no such key')) return [];
    throw error;
  });
  const fields = told as unknown[];
  const last = fields[fields.indexOf('last-generated-id') + 1];
  return typeof last === 'string' && Number(last.split('-')[0]) > latestStreamMs;
};

/**
 * What is in the way of a queue's jobs without being an error where they are run; null: nothing. `mayPause`: a pause of this
 * queue is an operator's (R31). Needs rights that a host's own user does not have.
 */
export const findDamage = async (
  redis: DamageStore,
  queueName: string,
  { mayPause }: { mayPause: boolean },
): Promise<string | null> => {
  const types = await Promise.all(
    Object.entries(parts).map(async ([part, wanted]) => {
      const found = await redis.type(keyOf(queueName, part));
      return found === wanted || found === 'none' ? null : `its ${part} is a ${found}`;
    }),
  );
  const wrong = types.find((type) => type !== null);
  if (wrong !== undefined) return wrong;
  const [[paused, ...slowed], id, stalledMs] = await Promise.all([
    redis.hmget(keyOf(queueName, 'meta'), 'paused', 'concurrency', 'max', 'duration'),
    redis.get(keyOf(queueName, 'id')),
    redis.pttl(keyOf(queueName, 'stalled-check')),
  ]);
  if (paused !== null && !mayPause) return 'it is paused';
  if (slowed.some((limit) => limit !== null)) return 'it is slowed down';
  if (id !== null && !/^\d{1,15}$/.test(id)) return 'its counter is no number';
  if (await isSpent(redis, queueName)) return 'its stream of events is at its end';
  // Without an end it keeps jobs whose worker died from ever being run.
  return stalledMs === -1 ? 'its look for stalled jobs is put off for ever' : null;
};

type EmptyStore = Pick<Redis, 'del' | 'eval'>;

/** So many jobs are taken away at a time: nobody waits long for Redis meanwhile. */
const atOnce = 1_000;

/**
 * The first of a list with the hashes of their jobs, which forgotten alone would fill Redis. All in one step: what is put in
 * front meanwhile is taken by the next one, and whoever is interrupted, or does it twice, leaves nothing behind.
 */
const takeFirst = `
local ids = redis.call('LRANGE', KEYS[1], 0, ARGV[1] - 1)
for _, id in ipairs(ids) do redis.call('DEL', ARGV[2] .. id) end
redis.call('LTRIM', KEYS[1], ARGV[1], -1)
return #ids`;

const dropJobs = async (redis: EmptyStore, queueName: string, list: string): Promise<void> => {
  while ((await redis.eval(takeFirst, 1, list, atOnce, jobKey(queueName, ''))) !== 0);
};

const lists = ['wait', 'paused', 'active'];

/**
 * Forget which jobs a queue has. No truth is lost: the relay puts each job in again (R3), agents send each report again (R8).
 */
export const emptyQueue = async (redis: EmptyStore, queueName: string): Promise<void> => {
  for (const part of lists) {
    const key = keyOf(queueName, part);
    await dropJobs(redis, queueName, key).catch(async (error: unknown) => {
      // No list, and so nothing that could be read out of it.
      if (!errorText(error).includes('WRONGTYPE')) throw error;
      await redis.del(key);
    });
  }
  const others = Object.keys(parts).filter((part) => !lists.includes(part));
  await redis.del(...others.map((part) => keyOf(queueName, part)));
};
