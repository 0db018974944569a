import { createRedisBackend } from 'bullmq';
import type { BackendFactory, RedisQueueBackend } from 'bullmq';

/** Scripts of BullMQ that hand over a job: the fields of its hash, name and value in turn, stand first in their answer. */
const handingOver = new Set(['moveToActive', 'moveToFinished']);

/** JSON of what lies in a job; what is longer than `maxBytes`, or is no JSON, as the text that it is (cut): readers refuse that. */
const readableJson = (text: string, maxBytes: number): string => {
  // A text has at least as many bytes as characters.
  if (text.length > maxBytes) return JSON.stringify(text.slice(0, maxBytes + 1));
  try {
    JSON.parse(text);
    return text;
  } catch {
    return JSON.stringify(text);
  }
};

/** Of a job's fields, as Redis answers them, its data alone. */
const onlyData = (fields: readonly unknown[], maxBytes: number): string[] => {
  for (let at = 0; at + 1 < fields.length; at += 2)
    if (fields[at] === 'data') return ['data', readableJson(String(fields[at + 1]), maxBytes)];
  return [];
};

/**
 * BullMQ's own access to Redis, but that of a job handed over nothing is taken but its data. BullMQ believes the rest of
 * the hash: fields that are no JSON are errors without end, the job being neither run nor over; options let it try again or keep
 * for ever, a key of a repeated job makes the worker put the next one in by itself. Jobs of ours need none of that.
 */
export const dataOnlyBackend =
  (maxBytes: number): BackendFactory<RedisQueueBackend> =>
  (name, opts, options) => {
    const backend = createRedisBackend(name, opts, options);
    const ask = backend.execCommand.bind(backend);
    backend.execCommand = async (client, command, args) => {
      const answer: unknown = await ask(client, command, args);
      if (!handingOver.has(command) || !Array.isArray(answer)) return answer;
      const [fields, ...rest] = answer as unknown[];
      return [Array.isArray(fields) ? onlyData(fields, maxBytes) : fields, ...rest];
    };
    return backend;
  };
