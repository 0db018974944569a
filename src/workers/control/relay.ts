import type { Redis } from 'ioredis';
import type { HostId } from '../../core/ids.ts';
import { Envelope, signAgain } from '../../jobs/envelope.ts';
import { leadsAfter } from '../../core/messages.ts';
import type { Leader } from '../../core/messages.ts';
import { jobOptions } from '../../jobs/job-options.ts';
import { emptyQueue, findDamage, tellsOfDamage } from '../../jobs/queue-damage.ts';
import type { QueueCache } from '../../jobs/queue-cache.ts';
import { hostQueue, jobKey, queuePrefix } from '../../jobs/queue-names.ts';
import type { SigningKey } from '../../jobs/signing-key.ts';
import type { OutboxRow } from '../../store/outbox.ts';
import { errorText } from '../../core/error-text.ts';

/** What one pass of the relay saw and did. */
export type RelayPass =
  | { kind: 'redis-away'; reason: string }
  | {
      kind: 'passed';
      /** Rows that wait for an answer. */
      open: number;
      /** Jobs that Redis did not have: new ones, or lost ones. */
      put: number;
      /** Jobs that Redis had finished with although no answer came, or had from a former leader. */
      putAgain: number;
      /** Jobs that Redis did not take; they are tried again in the next pass. */
      refused: { jobId: string; reason: string }[];
    };

/** States in which a job will be run without our help. */
const onItsWay = new Set(['waiting', 'active']);

/**
 * A job that was not taken by then has its queue looked at once: in time for what is put in anew to be begun before its permission
 * ends (`beginBefore`, 30 s), after which it would be asked back and never be looked at.
 */
const lookAfterMs = 5_000;

/**
 * The outbox relay (R3): sees to it that each open row's job exists in Redis, under the same id and with the
 * same content. It holds no truth: after any loss the next pass puts back what is missing. BullMQ silently
 * ignores an id that it still keeps as completed or failed, so a job that is over without an answer for
 * `putAgainAfterMs` is taken out and put in again; agents answer twice and act once (R5).
 */
export const createRelay = (options: {
  /** A connection made by `connectSender`, shared with `queues`. */
  redis: Redis;
  queues: QueueCache;
  openRows: () => Promise<OutboxRow[]>;
  /** False while the control record that must go before a job is not written yet (R12). */
  mayPut: (row: OutboxRow) => boolean;
  /** Who leads: jobs of a former leader are taken by no agent that has heard of this one (R16). */
  leader: (hostId: HostId) => Leader;
  /** The active key: each sending is signed with it. */
  signingKey: () => SigningKey;
  /** Hosts whose queue is paused in SQL: BullMQ's own flag follows, also after Redis lost it (R31). */
  pausedHosts: () => ReadonlySet<HostId>;
  monotonicMs: () => number;
  /** A host's queue held what nobody of ours wrote, and was emptied. */
  onDamage: (queue: string, reason: string) => void;
  putAgainAfterMs?: number;
}): { pass: () => Promise<RelayPass> } => {
  const { redis, queues, mayPut, signingKey, pausedHosts, monotonicMs } = options;
  const putAgainAfterMs = options.putAgainAfterMs ?? 30_000;
  /** When a job was last known to be on its way, and who has put it in, as far as that was us. */
  const seen = new Map<string, { at: number; leader: Leader }>();
  /** Jobs whose queue was looked at because they were not taken soon. */
  const looked = new Set<string>();
  let pausedBefore = new Set<HostId>();

  const put = async (row: OutboxRow): Promise<void> => {
    const stored = Envelope.parse(JSON.parse(row.envelope));
    const leader = options.leader(row.hostId);
    const envelope = signAgain(stored, leader, signingKey());
    await queues
      .queue(hostQueue(row.hostId))
      .add(row.kind, envelope, { ...jobOptions, jobId: row.jobId });
    seen.set(row.jobId, { at: monotonicMs(), leader });
  };

  /** One that a leader before this one has put in: who has heard of this one does not take it any more. */
  const putAnew = async (row: OutboxRow): Promise<boolean> => {
    const { hostId, jobId } = row;
    if ((await queues.queue(hostQueue(hostId)).getJobState(jobId)) === 'active') {
      // It is just being taken; if in vain, it is brought again in time.
      seen.set(jobId, { at: monotonicMs(), leader: options.leader(hostId) });
      return false;
    }
    await takeOut(row);
    await put(row);
    return true;
  };

  /**
   * What is no queue any more takes no job and lets none through, for ever: it is emptied, and all open rows are put in
   * again. Its own agent may be unable to: it is off, or its user may not look.
   */
  const emptyDamaged = async (hostId: HostId, damage: string): Promise<string> => {
    await emptyQueue(redis, hostQueue(hostId));
    // What is put in anew is looked at first: else it would count as on its way.
    for (const jobId of seen.keys()) if (jobId.startsWith(`${hostId}_`)) seen.delete(jobId);
    options.onDamage(`queue of ${hostId}`, damage);
    return `the queue of ${hostId} was damaged (${damage}), and emptied`;
  };

  const problemOf = async (hostId: HostId, error: unknown): Promise<string> =>
    tellsOfDamage(error) ? emptyDamaged(hostId, errorText(error)) : errorText(error);

  const takeOut = async ({ hostId, jobId }: OutboxRow): Promise<void> => {
    // The job may be in no list at all, or no job at all: then only its key is in the way.
    await queues
      .queue(hostQueue(hostId))
      .remove(jobId)
      .catch(() => 0);
    await redis.del(jobKey(hostQueue(hostId), jobId));
  };

  /** Throws when there was damage, and the queue is empty now. */
  const emptyIfDamaged = async (hostId: HostId): Promise<void> => {
    const damage = await findDamage(redis, hostQueue(hostId), { mayPause: true });
    if (damage !== null) throw new Error(await emptyDamaged(hostId, damage));
  };

  /** Whether Redis will not run a job that it has, and so it was taken out. */
  const takeOutIfOver = async (row: OutboxRow): Promise<boolean> => {
    const { hostId, jobId } = row;
    if (onItsWay.has(await queues.queue(hostQueue(hostId)).getJobState(jobId))) {
      await emptyIfDamaged(hostId);
      seen.set(jobId, { at: monotonicMs(), leader: options.leader(hostId) });
      return false;
    }
    await takeOut(row);
    return true;
  };

  /** Answers of which hosts that could not be done, and why: no host's queue is in the way of another's. */
  const syncPauses = async (rows: OutboxRow[]): Promise<Map<HostId, string>> => {
    const problems = new Map<HostId, string>();
    const wanted = pausedHosts();
    const hosts = new Set([...wanted, ...pausedBefore, ...rows.map(({ hostId }) => hostId)]);
    await Promise.all(
      [...hosts].map(async (hostId) => {
        const name = hostQueue(hostId);
        try {
          const isPaused =
            (await redis.hexists(`${queuePrefix(name)}:${name}:meta`, 'paused')) === 1;
          if (wanted.has(hostId) && !isPaused) await queues.queue(name).pause();
          if (!wanted.has(hostId) && isPaused) await queues.queue(name).resume();
        } catch (error) {
          problems.set(hostId, await problemOf(hostId, error));
        }
      }),
    );
    pausedBefore = new Set([...wanted, ...problems.keys()]);
    return problems;
  };

  const pass = async (): Promise<RelayPass> => {
    if (redis.status !== 'ready')
      return { kind: 'redis-away', reason: `connection is ${redis.status}` };
    const open = await options.openRows();
    const ids = new Set(open.map(({ jobId }) => jobId));
    for (const jobId of seen.keys()) if (!ids.has(jobId)) seen.delete(jobId);
    for (const jobId of looked) if (!ids.has(jobId)) looked.delete(jobId);
    // Before any job: a queue that is to be paused must not run what is put into it.
    const problems = await syncPauses(open);
    const refused = open.flatMap(({ hostId, jobId }) => {
      const reason = problems.get(hostId);
      return reason === undefined ? [] : [{ jobId, reason }];
    });
    const rows = open.filter((row) => !problems.has(row.hostId) && mayPut(row));
    const present = await Promise.all(
      rows.map(({ hostId, jobId }) => redis.exists(jobKey(hostQueue(hostId), jobId))),
    );
    const counts = { put: 0, putAgain: 0 };
    await Promise.all(
      rows.map(async (row, index) => {
        try {
          if (present[index] === 0) {
            await put(row);
            counts.put += 1;
            return;
          }
          const last = seen.get(row.jobId);
          if (last === undefined || leadsAfter(options.leader(row.hostId), last.leader)) {
            if (await putAnew(row)) counts.putAgain += 1;
          } else if (monotonicMs() - last.at >= putAgainAfterMs && (await takeOutIfOver(row))) {
            await put(row);
            counts.putAgain += 1;
          } else if (monotonicMs() - last.at >= lookAfterMs && !looked.has(row.jobId)) {
            looked.add(row.jobId);
            await emptyIfDamaged(row.hostId);
          }
        } catch (error) {
          refused.push({ jobId: row.jobId, reason: await problemOf(row.hostId, error) });
        }
      }),
    );
    return { kind: 'passed', open: open.length, ...counts, refused };
  };

  return { pass };
};
