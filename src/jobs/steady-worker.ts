import { Worker } from 'bullmq';
import type { Job, WorkerOptions } from 'bullmq';
import type { Redis } from 'ioredis';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorText } from '../core/error-text.ts';
import { faultOfError, redisFaultText } from '../core/redis-fault.ts';
import { drainDelaySeconds } from './connections.ts';
import { endConnection } from './end-connection.ts';
import { createErrorRate } from './error-rate.ts';
import type { QueueLimits } from './job-options.ts';
import { emptyQueue, findDamage, tellsOfDamage } from './queue-damage.ts';
import { queuePrefix } from './queue-names.ts';
import { dataOnlyBackend } from './read-job-fields.ts';
import { redisAnswers } from './redis-answers.ts';
import { repeat } from './repeat.ts';
import { createStrayJobs, lostLocksText, strayJob } from './stray-jobs.ts';
import { within } from './within.ts';

/** More errors than this within a second: the worker spins and is built anew after a pause. */
const spinLimit = 10;

/** A damaged queue that is not emptied within this time is emptied later. */
const emptyLimitMs = 20_000;

/** How a worker meets trouble; the defaults are right outside tests. */
export interface SteadyTimes {
  /** Pause before a spinning worker is built anew; doubles up to `longestPauseMs`. */
  pauseMs: number;
  longestPauseMs: number;
  /** Waiting jobs, and none started for this long: the worker is built anew. */
  idleLimitMs: number;
  watchEveryMs: number;
  /** Problems are told at most this often. */
  tellEveryMs: number;
  stalledIntervalMs: number;
  lockDurationMs: number;
}

export const steadyTimes: SteadyTimes = {
  pauseMs: 2_000,
  longestPauseMs: 5_000,
  idleLimitMs: 60_000,
  watchEveryMs: 10_000,
  tellEveryMs: 10_000,
  stalledIntervalMs: 30_000,
  lockDurationMs: 30_000,
};

/** Pause after a job could not be fetched (a read-only replica, a full memory); BullMQ's own is 15 s. */
const fetchAgainMs = 2_000;

/** A worker that has not spun anew for so long after the longest pause is well. */
const spunShownMs = 5_000;

/** What errors mean is told in people's words where it is known. */
const inWords = (message: string): string => {
  const fault = faultOfError(message);
  return fault.kind === 'other' ? message : redisFaultText(fault);
};

export interface SteadyWorker {
  /** The present connection, for what else this process sends; another one after a rebuild. */
  connection: () => Redis;
  /** How often the worker was built anew. */
  rebuilds: () => number;
  /** Why it can take no jobs although Redis answers: of late it span; null: it did not. */
  trouble: () => string | null;
  /**
   * Take no further jobs; wait for running ones up to `limitMs`, then leave them to be redelivered. Where
   * Redis is away none is waited for but what is being handled here. A second call waits for the first.
   */
  close: (limitMs: number) => Promise<void>;
}

/** Resolves when `promise` has settled in whichever way, or when the limit has passed. */
const settledWithin = async (promise: Promise<unknown>, limitMs: number): Promise<void> => {
  let limit: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    limit = setTimeout(resolve, limitMs);
  });
  await Promise.race([promise.catch(() => undefined), late]);
  clearTimeout(limit);
};

/**
 * A BullMQ worker that survives what BullMQ's own does not: errors that come without pause (a Redis user
 * without the right to INFO: 40,000 a second), and a worker that stands still although jobs wait. Both end
 * in a new worker on new connections. A queue whose keys hold what BullMQ never wrote is emptied, since nothing
 * else would ever mend it. `handle` must be quick and idempotent: a job can come twice.
 */
export const createSteadyWorker = (options: {
  queueName: string;
  concurrency: number;
  limits: QueueLimits;
  /** Nobody else pauses this queue, and this process has every right in Redis: damage is looked for, not waited for. */
  owned: boolean;
  /** A fresh connection made by `connectWorker`, with the listener given here. */
  connect: (onError: (error: Error) => void) => Redis;
  handle: (job: Job<unknown>) => Promise<void>;
  onProblem: (text: string) => void;
  /** The queue held what nobody of ours wrote, and was emptied. */
  onDamage: (reason: string) => void;
  nowMs: () => number;
  times?: SteadyTimes;
}): SteadyWorker => {
  const { queueName, concurrency, handle, onProblem, nowMs, owned } = options;
  const { most, maxBytes, keep } = options.limits;
  const times = options.times ?? steadyTimes;
  const prefix = queuePrefix(queueName);
  const errors = createErrorRate({
    nowMs,
    everyMs: times.tellEveryMs,
    limit: spinLimit,
    say: ({ message, count }) => {
      onProblem(`queue ${queueName}: ${inWords(message)}${count > 1 ? ` (${count} times)` : ''}`);
    },
  });
  const lostLocks = createErrorRate({
    nowMs,
    everyMs: times.tellEveryMs,
    limit: spinLimit,
    say: ({ message, count }) => {
      onProblem(`queue ${queueName}: ${lostLocksText(count, message)}`);
    },
  });
  const isRepeated = createStrayJobs(nowMs);
  let rebuilds = 0;
  let pauseMs = times.pauseMs;
  let closed = false;
  let restart: NodeJS.Timeout | undefined;
  let busy = 0;
  /** Since when jobs were seen waiting while none was started; null: they are not. */
  let stuckSince: number | null = null;
  let spun: { at: number; why: string } | null = null;
  /** What was found in the queue's keys that BullMQ cannot have written. */
  let damage: string | null = null;
  let emptying: Promise<void> | null = null;

  const mend = async (redis: Redis): Promise<void> => {
    const found = damage;
    if (found === null) return;
    emptying ??= emptyQueue(redis, queueName).finally(() => {
      emptying = null;
    });
    await within(emptying, emptyLimitMs, 'emptying the queue');
    // Another look that has waited for the same has told it.
    if (damage !== found) return;
    onProblem(`queue ${queueName} was damaged (${found}), and emptied; its jobs are put in again`);
    options.onDamage(found);
    damage = null;
  };

  const build = (): { redis: Redis; worker: Worker } => {
    const hear = (error: Error): void => {
      const stray = strayJob(error);
      // Many at once are no spinning: each job is one once.
      if (stray !== null && !isRepeated(stray)) {
        lostLocks.hear(error);
        return;
      }
      errors.hear(error);
      if (tellsOfDamage(error)) damage ??= errorText(error);
      // In the listener itself: while it spins, timers hardly run.
      if (!errors.isSpinning() || present.redis !== redis) return;
      if (stray !== null) damage ??= errorText(error);
      if (restart !== undefined) return;
      spun = { at: nowMs(), why: inWords(errorText(error)) };
      rebuild('errors without pause', pauseMs);
    };
    const redis = options.connect(hear);
    const workerOptions: WorkerOptions = {
      connection: redis,
      prefix,
      concurrency,
      drainDelay: drainDelaySeconds,
      lockDuration: times.lockDurationMs,
      stalledInterval: times.stalledIntervalMs,
      // The default fails a job when its agent dies a second time.
      maxStalledCount: 1_000_000,
      runRetryDelay: fetchAgainMs,
      // No queue of ours has a rate: somebody else has written one there, and it is soon taken away.
      maximumRateLimitDelay: fetchAgainMs,
      ...keep,
    };
    const worker = new Worker(
      queueName,
      async (job: Job<unknown>) => {
        busy += 1;
        stuckSince = null;
        spun = null;
        pauseMs = times.pauseMs;
        try {
          await handle(job);
        } finally {
          busy -= 1;
        }
      },
      workerOptions,
      dataOnlyBackend(maxBytes),
    );
    worker.on('error', hear);
    return { redis, worker };
  };

  const rebuild = (why: string, afterMs: number): void => {
    if (closed || restart !== undefined) return;
    onProblem(`queue ${queueName}: ${why}; its worker is built anew in ${afterMs} ms`);
    const { redis, worker } = present;
    worker.close(true).catch(errors.hear);
    const mending = mend(redis).catch(errors.hear);
    pauseMs = Math.min(pauseMs * 2, times.longestPauseMs);
    restart = setTimeout(() => {
      restart = undefined;
      // Until now what else this process sends has gone over it.
      void mending.then(() => {
        endConnection(redis);
      });
      if (closed) return;
      errors.reset();
      rebuilds += 1;
      stuckSince = null;
      present = build();
    }, afterMs);
  };

  let present = build();

  const watch = repeat(
    async () => {
      const { redis } = present;
      if (restart !== undefined || redis.status !== 'ready') return;
      // Of what was heard since the last look: nothing below might be answered.
      await mend(redis);
      if (owned) damage ??= await findDamage(redis, queueName, { mayPause: false });
      const key = `${prefix}:${queueName}`;
      const [waiting, paused] = await Promise.all([
        redis.llen(`${key}:wait`),
        redis.hexists(`${key}:meta`, 'paused'),
      ]);
      if (waiting > most) damage ??= `${waiting} jobs wait, and no more than ${most} can be ours`;
      await mend(redis);
      if (waiting === 0 || paused === 1 || busy > 0 || redis !== present.redis) {
        stuckSince = null;
        return;
      }
      stuckSince ??= nowMs();
      if (nowMs() - stuckSince >= times.idleLimitMs)
        rebuild(`${waiting} jobs wait and none was started for ${times.idleLimitMs} ms`, 0);
    },
    {
      everyMs: times.watchEveryMs,
      onError: (error) => {
        errors.hear(error);
        if (tellsOfDamage(error)) damage ??= errorText(error);
      },
    },
  );

  /** What is being handled needs no Redis to come to its end; what became of it is told by its redelivery. */
  const handled = async (limitMs: number): Promise<void> => {
    for (let waitedMs = 0; busy > 0 && waitedMs < limitMs; waitedMs += 10) await sleep(10);
  };

  const close = async (limitMs: number): Promise<void> => {
    closed = true;
    clearTimeout(restart);
    const rebuilding = restart !== undefined;
    const watched = watch.stop();
    const { redis, worker } = present;
    if (!rebuilding && (await redisAnswers(redis))) {
      // `close()` waits without limit, and a `close(true)` after it waits for the same: so pause first.
      await settledWithin(worker.pause(), limitMs);
      await settledWithin(worker.close(true), 1_000);
      endConnection(redis);
    } else {
      await handled(limitMs);
      // First the connection: whatever still waits for an answer ends with it, the watchdog's look as well.
      endConnection(redis);
      await settledWithin(worker.close(true), 100);
    }
    await watched;
  };
  let closing: Promise<void> | null = null;

  return {
    connection: () => present.redis,
    rebuilds: () => rebuilds,
    trouble: () =>
      spun !== null && nowMs() - spun.at < times.longestPauseMs + spunShownMs ? spun.why : null,
    close: (limitMs) => (closing ??= close(limitMs)),
  };
};
