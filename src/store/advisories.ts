import type { Kysely } from 'kysely';
import { Advisory } from '../core/advisories/advisory.ts';
import { inTransaction } from './in-transaction.ts';
import type { StoreTables } from './open-store.ts';

/** An advisory as it is to be kept, with the hash of what it says. */
export interface HashedAdvisory {
  advisory: Advisory;
  hash: string;
}

export interface AdvisoryKey {
  feed: string;
  id: string;
}

export interface StoredAdvisory extends HashedAdvisory {
  firstSeen: number;
  changedAt: number;
}

const storedColumns = ['hash', 'doc', 'first_seen', 'changed_at'] as const;
const storedOf = (row: {
  doc: string;
  hash: string;
  first_seen: number;
  changed_at: number;
}): StoredAdvisory => ({
  advisory: Advisory.parse(JSON.parse(row.doc)),
  ...{ hash: row.hash, firstSeen: row.first_seen, changedAt: row.changed_at },
});

const perInsert = 200;

/** Note under which names an advisory is to be found, in place of those that it had. */
const keepNames = async (
  db: Kysely<StoreTables>,
  { feed, id, affected, withdrawn }: Advisory,
  hadSome: boolean,
): Promise<void> => {
  if (hadSome)
    await db.deleteFrom('advisory_names').where('feed', '=', feed).where('id', '=', id).execute();
  const rows = new Map(
    (withdrawn ? [] : affected)
      .filter(({ status }) => status !== 'not-affected')
      .map(({ distro, name }) => [`${distro} ${name}`, { distro, name, feed, id }]),
  );
  const all = [...rows.values()];
  for (let from = 0; from < all.length; from += perInsert)
    await db
      .insertInto('advisory_names')
      .values(all.slice(from, from + perInsert))
      .execute();
};

/** What an advisory said that is kept, as it would be hashed now; null: it cannot be told. */
const hashKept = async (
  db: Kysely<StoreTables>,
  key: AdvisoryKey,
  hashOf: ((advisory: Advisory) => string) | undefined,
): Promise<string | null> => {
  const [kept] = hashOf === undefined ? [] : await advisoriesOf(db, [key]);
  return kept === undefined ? null : (hashOf?.(kept.advisory) ?? null);
};

/** What became of a group of advisories: how many are new or say something else, and how many were older than the known. */
export interface Kept {
  changed: number;
  older: number;
}

/**
 * Keep what is new or changed of a group of one feed, all of it or nothing; what says the same is not published again, though it
 * says it at another time. One that was modified before the one that is known is older, and is not taken: no feed goes back in
 * time. `nowMs` is the wall clock's. `hashOf` tells the hash of one that is kept, which may have been hashed in another way.
 */
export const keepAdvisories = (
  db: Kysely<StoreTables>,
  feed: string,
  group: readonly HashedAdvisory[],
  nowMs: number,
  hashOf?: (advisory: Advisory) => string,
): Promise<Kept> =>
  inTransaction(db, async (transaction) => {
    if (group.length === 0) return { changed: 0, older: 0 };
    const ids = group.map(({ advisory }) => advisory.id);
    const rows = await transaction
      .selectFrom('advisories')
      .select(['id', 'hash', 'modified'])
      .where('feed', '=', feed)
      .where('id', 'in', ids)
      .execute();
    const known = new Map(rows.map((row) => [row.id, row]));
    const kept: Kept = { changed: 0, older: 0 };
    for (const { advisory, hash } of group) {
      const before = known.get(advisory.id);
      const { id, modified } = advisory;
      const isOlder =
        modified !== null && typeof before?.modified === 'string' && modified < before.modified;
      const isSame =
        before !== undefined &&
        (before.hash === hash || (await hashKept(transaction, { feed, id }, hashOf)) === hash);
      if (isSame) {
        const isLater = modified !== null && modified !== before.modified;
        if (!isOlder && (isLater || before.hash !== hash))
          await transaction
            .updateTable('advisories')
            .set({ hash, modified, doc: JSON.stringify(advisory) })
            .where('feed', '=', feed)
            .where('id', '=', id)
            .execute();
        continue;
      }
      if (isOlder) {
        kept.older += 1;
        continue;
      }
      const values = {
        ...{ hash, modified, withdrawn: advisory.withdrawn ? 1 : 0 },
        ...{ changed_at: nowMs, unmatched: 1 },
        doc: JSON.stringify(advisory),
      };
      await transaction
        .insertInto('advisories')
        .values({ feed, id, first_seen: nowMs, ...values })
        .onConflict((clash) => clash.columns(['feed', 'id']).doUpdateSet(values))
        .execute();
      await keepNames(transaction, { ...advisory, feed }, before !== undefined);
      kept.changed += 1;
    }
    return kept;
  });

/** Advisories of a feed that were not taken back. */
export const countAdvisories = async (db: Kysely<StoreTables>, feed: string): Promise<number> => {
  const row = await db
    .selectFrom('advisories')
    .select(({ fn }) => fn.countAll<number | string>().as('count'))
    .where('feed', '=', feed)
    .where('withdrawn', '=', 0)
    .executeTakeFirstOrThrow();
  return Number(row.count);
};

/** An advisory of a feed that was not taken back; null: there is none. */
export const presentAdvisory = async (
  db: Kysely<StoreTables>,
  feed: string,
  id: string,
): Promise<Advisory | null> => {
  const row = await db
    .selectFrom('advisories')
    .select('doc')
    .where('feed', '=', feed)
    .where('id', '=', id)
    .where('withdrawn', '=', 0)
    .executeTakeFirst();
  return row === undefined ? null : Advisory.parse(JSON.parse(row.doc));
};

const page = 500;

/** A feed's advisories that were not taken back, by id, a page at a time. */
export const presentAdvisories = async function* (
  db: Kysely<StoreTables>,
  feed: string,
): AsyncGenerator<StoredAdvisory[]> {
  for (let after = ''; ;) {
    const rows = await db
      .selectFrom('advisories')
      .select(['id', 'hash', 'doc', 'first_seen', 'changed_at'])
      .where('feed', '=', feed)
      .where('withdrawn', '=', 0)
      .where('id', '>', after)
      .orderBy('id')
      .limit(page)
      .execute();
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows.map(storedOf);
    after = last.id;
  }
};

/** So many are read at once: a large one holds the process for some milliseconds. */
const namingPage = 50;

const sameKey = ({ feed, id }: AdvisoryKey): string => `${feed} ${id}`;

/**
 * Every advisory that says something of one of these names of a distribution's packages, withdrawn ones left out, each once, a few
 * at a time.
 */
export const advisoriesNaming = async function* (
  db: Kysely<StoreTables>,
  distro: string,
  names: readonly string[],
): AsyncGenerator<Advisory[]> {
  const keys = new Map<string, AdvisoryKey>();
  for (let from = 0; from < names.length; from += page)
    for (const key of await db
      .selectFrom('advisory_names')
      .select(['feed', 'id'])
      .distinct()
      .where('distro', '=', distro)
      .where('name', 'in', names.slice(from, from + page))
      .execute())
      keys.set(sameKey(key), key);
  yield* advisoriesInParts(db, [...keys.values()]);
};

/** Advisories by their keys, in any order, a few at a time; one that is gone is left out. */
export const advisoriesInParts = async function* (
  db: Kysely<StoreTables>,
  keys: readonly AdvisoryKey[],
): AsyncGenerator<Advisory[]> {
  for (let from = 0; from < keys.length; from += namingPage)
    yield (await advisoriesOf(db, keys.slice(from, from + namingPage))).map(
      ({ advisory }) => advisory,
    );
};

/** Advisories by their keys, in any order; one that is gone is left out. */
export const advisoriesOf = async (
  db: Kysely<StoreTables>,
  keys: readonly AdvisoryKey[],
): Promise<StoredAdvisory[]> => {
  const byFeed = new Map<string, string[]>();
  for (const { feed, id } of keys) byFeed.set(feed, [...(byFeed.get(feed) ?? []), id]);
  const rows = [];
  for (const [feed, ids] of byFeed)
    rows.push(
      ...(await db
        .selectFrom('advisories')
        .select(storedColumns)
        .where('feed', '=', feed)
        .where('id', 'in', ids)
        .execute()),
    );
  return rows.map(storedOf);
};

/** An advisory under this id, of each feed that has it. */
export const advisoriesCalled = async (
  db: Kysely<StoreTables>,
  id: string,
): Promise<StoredAdvisory[]> =>
  (
    await db
      .selectFrom('advisories')
      .select(storedColumns)
      .where('id', '=', id)
      .orderBy('feed')
      .execute()
  ).map(storedOf);

/** One advisory in the form that has this hash; null: it says something else by now, or is gone. */
export const advisoryInForm = async (
  db: Kysely<StoreTables>,
  { feed, id }: AdvisoryKey,
  hash: string,
): Promise<StoredAdvisory | null> => {
  const row = await db
    .selectFrom('advisories')
    .select(storedColumns)
    .where('feed', '=', feed)
    .where('id', '=', id)
    .where('hash', '=', hash)
    .executeTakeFirst();
  return row === undefined ? null : storedOf(row);
};

/** Which the matcher has not seen in their present form, the first to change first. */
export const unmatchedAdvisories = (
  db: Kysely<StoreTables>,
  limit: number,
): Promise<(AdvisoryKey & { hash: string })[]> =>
  db
    .selectFrom('advisories')
    .select(['feed', 'id', 'hash'])
    .where('unmatched', '=', 1)
    .orderBy('changed_at')
    .orderBy('id')
    .limit(limit)
    .execute();

/** The matcher has seen it in this form; one that says something else by now stays to be matched. */
export const markMatched = async (
  db: Kysely<StoreTables>,
  { feed, id }: AdvisoryKey,
  hash: string,
): Promise<void> => {
  await db
    .updateTable('advisories')
    .set({ unmatched: 0 })
    .where('feed', '=', feed)
    .where('id', '=', id)
    .where('hash', '=', hash)
    .execute();
};
