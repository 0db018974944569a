import type { Kysely } from 'kysely';

/** Do all of `work` or nothing of it: in the transaction that is under way, or in one of its own. */
export const inTransaction = <Tables, Result>(
  db: Kysely<Tables>,
  work: (transaction: Kysely<Tables>) => Promise<Result>,
): Promise<Result> => (db.isTransaction ? work(db) : db.transaction().execute(work));
