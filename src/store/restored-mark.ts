import type { Kysely } from 'kysely';
import type { StoreTables } from './open-store.ts';

/** What a store says of itself that is a backup, until a server has taken that up (R16). */
export interface RestoredMark {
  /** When the backup was made, and when it was put in place (wall clock, ms); null: by hand, nobody knows when. */
  madeAt: number;
  restoredAt: number | null;
  /** Who put it in place. */
  actor: string;
}

/** Null: it is no backup, or a server has taken that up already. */
export const readRestoredMark = async (db: Kysely<StoreTables>): Promise<RestoredMark | null> => {
  const row = await db.selectFrom('restored').selectAll().executeTakeFirst();
  return row === undefined
    ? null
    : { madeAt: row.made_at, restoredAt: row.restored_at, actor: row.actor };
};

/** Call it in the transaction in which a later generation begins: so neither is without the other. */
export const dropRestoredMark = async (db: Kysely<StoreTables>): Promise<void> => {
  await db.deleteFrom('restored').execute();
};
