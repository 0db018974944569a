import type { Kysely } from 'kysely';
import { FeedState } from '../core/advisories/feed-state.ts';
import type { StoreTables } from './open-store.ts';

/** How the polling of each feed stood when it was last saved, by the feed's name. */
export const loadFeedStates = async (db: Kysely<StoreTables>): Promise<Map<string, FeedState>> => {
  const rows = await db.selectFrom('feeds').selectAll().execute();
  return new Map(rows.map(({ name, doc }) => [name, FeedState.parse(JSON.parse(doc))]));
};

export const saveFeedState = async (db: Kysely<StoreTables>, state: FeedState): Promise<void> => {
  const doc = JSON.stringify(state);
  await db
    .insertInto('feeds')
    .values({ name: state.name, doc })
    .onConflict((clash) => clash.column('name').doUpdateSet({ doc }))
    .execute();
};

export const deleteFeedState = async (db: Kysely<StoreTables>, name: string): Promise<void> => {
  await db.deleteFrom('feeds').where('name', '=', name).execute();
};
