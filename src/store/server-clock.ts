import type { Kysely } from 'kysely';
import type { StoreTables } from './open-store.ts';
import { inLeaderTransaction } from './lease.ts';
import type { Lease } from './lease.ts';

/**
 * Server time (R14): driven by the leader's monotonic clock, and never ahead of what is reserved in SQL, so
 * that the next leader, which begins where the reservation ends, never goes back. While nobody leads it stands.
 */
export interface ServerClock {
  /** Server time in ms. Stands still at the end of the reservation until `reserve` has succeeded. */
  now: () => number;
  /** Reserve the next stretch. Throws `LeaseLost` when somebody else leads. */
  reserve: () => Promise<void>;
}

/** How much server time is reserved ahead: what a change of leaders skips at most. */
export const reserveAheadMs = 10_000;

/** Start the clock of a new leader where the last reservation ended. `monotonicMs` never goes back. */
export const startServerClock = async (
  db: Kysely<StoreTables>,
  lease: Lease,
  monotonicMs: () => number,
): Promise<ServerClock> => {
  let limit = 0;
  let highest = 0;
  const reserveUntil = async (until: number): Promise<void> => {
    limit = await inLeaderTransaction(db, lease, async (transaction) => {
      await transaction
        .updateTable('server_clock')
        .set({ reserved_until: until })
        .where('reserved_until', '<', until)
        .execute();
      const row = await transaction
        .selectFrom('server_clock')
        .select('reserved_until')
        .executeTakeFirstOrThrow();
      return row.reserved_until;
    });
  };
  const begin = await db
    .selectFrom('server_clock')
    .select('reserved_until')
    .executeTakeFirstOrThrow();
  const base = begin.reserved_until;
  const startedAt = monotonicMs();
  const now = (): number => {
    highest = Math.max(highest, Math.min(base + monotonicMs() - startedAt, limit));
    return highest;
  };
  await reserveUntil(base + reserveAheadMs);
  return { now, reserve: () => reserveUntil(base + monotonicMs() - startedAt + reserveAheadMs) };
};
