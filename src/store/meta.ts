import type { Kysely } from 'kysely';
import type { StoreTables } from './open-store.ts';

/** One life of the store: a restored backup proves itself by hosts that know a later one (R16). */
export const readGeneration = async (db: Kysely<StoreTables>): Promise<number> =>
  (await db.selectFrom('meta').select('generation').executeTakeFirstOrThrow()).generation;

/** Write a higher generation; a lower one leaves the store as it is (R16). */
export const raiseGeneration = async (
  db: Kysely<StoreTables>,
  generation: number,
): Promise<void> => {
  await db.updateTable('meta').set({ generation }).where('generation', '<', generation).execute();
};
