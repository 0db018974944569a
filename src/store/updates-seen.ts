import type { Kysely } from 'kysely';
import type { StoreTables } from './open-store.ts';

/** A version of a package that hosts of a platform are offered. */
export interface Update {
  platform: string;
  name: string;
  version: string;
}

export const updateKey = ({ platform, name, version }: Update): string =>
  `${platform} ${name} ${version}`;

const perInsert = 200;

/** Note when updates were seen; those that are known keep the time when that was first. Wall clock, ms. */
export const noteUpdates = async (
  db: Kysely<StoreTables>,
  updates: readonly Update[],
  nowMs: number,
): Promise<void> => {
  const rows = updates.map(({ platform, name, version }) => ({
    ...{ platform, package: name, version, first_seen: nowMs },
  }));
  for (let from = 0; from < rows.length; from += perInsert)
    await db
      .insertInto('updates_seen')
      .values(rows.slice(from, from + perInsert))
      .onConflict((clash) => clash.columns(['platform', 'package', 'version']).doNothing())
      .execute();
};

/** When each update was first seen, by `updateKey`. */
export const updatesSeen = async (db: Kysely<StoreTables>): Promise<Map<string, number>> => {
  const rows = await db.selectFrom('updates_seen').selectAll().execute();
  return new Map(
    rows.map(({ platform, package: name, version, first_seen }) => [
      updateKey({ platform, name, version }),
      first_seen,
    ]),
  );
};
