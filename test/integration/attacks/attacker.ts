import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { signEnvelope } from '../../../src/jobs/envelope.ts';
import type { Envelope, Unsigned } from '../../../src/jobs/envelope.ts';
import { controlRecordKey, hostQueue, jobKey, queuePrefix } from '../../../src/jobs/queue-names.ts';
import type { SigningKey } from '../../../src/jobs/signing-key.ts';

/** Somebody with full control of Redis: no code of ours between them and the keys, and no limit. */
export interface Attacker {
  redis: Redis;
  /** A key of a queue. */
  key: (queue: string, part: string) => string;
  /** Put a job where the queue's worker takes it, with whatever text as its data, and whatever else in its hash. */
  put: (queue: string, data: unknown, fields?: Record<string, string>) => Promise<string>;
  /** Many of the same. */
  flood: (queue: string, data: string, count: number) => Promise<void>;
  /** All messages that lie in the jobs of a queue now. */
  recorded: (queue: string) => Promise<Envelope[]>;
  controlRecord: (hostId: string) => Promise<string>;
}

/** Into one pipeline go so many. */
const atOnce = 1_000;

export const startAttacker = (redis: Redis): Attacker => {
  const key = (queue: string, part: string): string => `${queuePrefix(queue)}:${queue}:${part}`;
  const hash = (data: string): Record<string, string> => ({
    ...{ name: 'x', data, opts: '{}', timestamp: '1', delay: '0', priority: '0' },
  });
  const attacker: Attacker = {
    redis,
    key,
    put: async (queue, data, fields = {}) => {
      const id = `x_${randomUUID()}`;
      const text = typeof data === 'string' ? data : JSON.stringify(data);
      await redis.hset(jobKey(queue, id), { ...hash(text), ...fields });
      await redis.lpush(key(queue, 'wait'), id);
      await redis.zadd(key(queue, 'marker'), 0, '0');
      return id;
    },
    flood: async (queue, data, count) => {
      for (let made = 0; made < count; made += atOnce) {
        const ids = Array.from({ length: Math.min(atOnce, count - made) }, (_, index) =>
          String(made + index),
        );
        const pipeline = redis.pipeline();
        for (const id of ids) pipeline.hset(jobKey(queue, `junk_${id}`), hash(data));
        pipeline.lpush(key(queue, 'wait'), ...ids.map((id) => `junk_${id}`));
        await pipeline.exec();
      }
      await redis.zadd(key(queue, 'marker'), 0, '0');
    },
    recorded: async (queue) => {
      const found: Envelope[] = [];
      for (const one of await redis.keys(key(queue, '*'))) {
        if ((await redis.type(one)) !== 'hash') continue;
        const text = (await redis.hget(one, 'data')) ?? '';
        // What it has put there itself is no message.
        if (/^\{.*"signature".*\}$/.test(text)) found.push(JSON.parse(text) as Envelope);
      }
      return found;
    },
    controlRecord: async (hostId) => (await redis.get(controlRecordKey(hostId))) ?? '',
  };
  return attacker;
};

/** A message with other content under its old signature. */
export const altered = (envelope: Envelope, change: Partial<Envelope>): Envelope => ({
  ...envelope,
  ...change,
});

/** A message signed by a key that is not its sender's; `as`: the key that it claims to be signed by. */
export const forged = (envelope: Envelope, key: SigningKey, as?: string): Envelope => {
  const message: Partial<Envelope> = { ...envelope };
  delete message.keyId;
  delete message.signature;
  const signed = signEnvelope(message as Unsigned, key);
  return as === undefined ? signed : { ...signed, keyId: as };
};

/** The same message under an id that nobody knows. */
export const renamed = (envelope: Envelope): Envelope => ({
  ...envelope,
  id: `${envelope.id.split('_')[0] ?? ''}_${randomUUID()}`,
});

export const jobsOf = (hostId: string): string => hostQueue(hostId);
