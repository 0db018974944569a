import { sql } from 'kysely';
import type { Kysely, RawBuilder, Transaction } from 'kysely';
import type { StoreTables } from './open-store.ts';

/**
 * The right to lead, by name and number. The epoch rises with each new holder, for ever, and is no less than the time in
 * seconds: over a store that was restored from a backup nobody leads under a number that was given since (R16).
 */
export interface Lease {
  holder: string;
  epoch: number;
  ttlMs: number;
}

export type Acquired =
  { kind: 'leader'; lease: Lease } | { kind: 'standby'; holder: string; epoch: number };

/** Somebody else leads: nothing of this process may be written any more. */
export class LeaseLost extends Error {
  override name = 'LeaseLost';
}

/**
 * Take the lease when nobody holds it, by the database's clock. Any two servers that ask agree, since all
 * writes are conditional on the epoch; a clock that jumps costs time only. A lease that would last longer
 * than its holder asked for is over as well: the clock went back.
 * `seize`: take it from whoever holds it, by one that knows that nobody else can live (it holds the lock of
 * the data directory that the store lies in).
 */
export const acquireLease = async (
  db: Kysely<StoreTables>,
  {
    databaseNow,
    holder,
    ttlMs,
    seize = false,
  }: { databaseNow: RawBuilder<number>; holder: string; ttlMs: number; seize?: boolean },
): Promise<Acquired> => {
  let take = db.updateTable('lease').set({
    epoch: sql<number>`CASE WHEN ${databaseNow} >= (epoch + 2) * 1000 THEN CAST(${databaseNow} / 1000 AS BIGINT) ELSE epoch + 1 END`,
    holder,
    expires_at: sql<number>`${databaseNow} + ${ttlMs}`,
    ttl_ms: ttlMs,
  });
  if (!seize)
    take = take.where(
      sql<boolean>`expires_at <= ${databaseNow} OR expires_at > ${databaseNow} + ttl_ms`,
    );
  const taken = await take.returning('epoch').executeTakeFirst();
  if (taken !== undefined) return { kind: 'leader', lease: { holder, epoch: taken.epoch, ttlMs } };
  const other = await db.selectFrom('lease').select(['holder', 'epoch']).executeTakeFirstOrThrow();
  return { kind: 'standby', ...other };
};

/** Hold the lease for another `ttlMs`. Throws `LeaseLost` when somebody else has taken it. */
export const renewLease = async (
  db: Kysely<StoreTables>,
  { holder, epoch, ttlMs }: Lease,
  databaseNow: RawBuilder<number>,
): Promise<void> => {
  const renewed = await db
    .updateTable('lease')
    .set({ expires_at: sql<number>`${databaseNow} + ${ttlMs}` })
    .where('epoch', '=', epoch)
    .where('holder', '=', holder)
    .executeTakeFirst();
  if (renewed.numUpdatedRows !== 1n)
    throw new LeaseLost(`${holder} does not lead any more (epoch ${epoch})`);
};

/** Give the lease back, so that another server need not wait; nothing happens if it is lost already. */
export const releaseLease = async (
  db: Kysely<StoreTables>,
  { holder, epoch }: Lease,
): Promise<void> => {
  await db
    .updateTable('lease')
    .set({ expires_at: 0 })
    .where('epoch', '=', epoch)
    .where('holder', '=', holder)
    .execute();
};

/**
 * One transaction of the leader. It begins by touching the lease's row under its own epoch, so that it either
 * commits before another server takes the lease or not at all. Throws `LeaseLost`, with nothing written, when
 * somebody else leads.
 */
export const inLeaderTransaction = <Result>(
  db: Kysely<StoreTables>,
  lease: Lease,
  work: (transaction: Transaction<StoreTables>) => Promise<Result>,
): Promise<Result> =>
  db.transaction().execute(async (transaction) => {
    const held =
      await sql`UPDATE lease SET epoch = epoch WHERE epoch = ${lease.epoch} AND holder = ${lease.holder}`.execute(
        transaction,
      );
    if (held.numAffectedRows !== 1n)
      throw new LeaseLost(`${lease.holder} does not lead any more (epoch ${lease.epoch})`);
    return work(transaction);
  });
