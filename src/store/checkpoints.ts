import type { Kysely } from 'kysely';
import type { StoreTables } from './open-store.ts';

type Db = Kysely<StoreTables>;

/** How far one chain went: chain, life, number of records, hash of the last. */
export type LeafRow = [chain: string, life: string, length: number, head: string];

export interface CheckpointRow {
  number: number;
  hash: string;
  /** Wall clock, ms since 1970. */
  madeAt: number;
  /** Position of the last record that it has seen. */
  upTo: number;
  statement: unknown;
  changed: LeafRow[];
}

/** The last one, without what changed at it; null: none was made yet. */
export const lastCheckpointRow = async (
  db: Db,
): Promise<{ number: number; hash: string; upTo: number } | null> => {
  const row = await db
    .selectFrom('audit_checkpoints')
    .select(['number', 'hash', 'up_to'])
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? null : { number: row.number, hash: row.hash, upTo: row.up_to };
};

/** How far every chain went at the last checkpoint. */
export const loadLeaves = async (db: Db): Promise<LeafRow[]> =>
  (await db.selectFrom('audit_leaves').selectAll().execute()).map(
    ({ chain, life, length, head }) => [chain, life, length, head],
  );

const pageRows = 1_000;

/**
 * The last record of each chain that has any after a position; and the last position of all. Goes by positions alone: grouping
 * in SQL would read the index of all records that ever were.
 */
export const linksAfter = async (
  db: Db,
  position: number,
): Promise<{ upTo: number; changed: LeafRow[] }> => {
  const changed = new Map<string, LeafRow>();
  for (let upTo = position; ;) {
    const rows = await db
      .selectFrom('audit_records')
      .select(['position', 'chain', 'life', 'seq', 'hash'])
      .where('position', '>', upTo)
      .where('proven', '=', 1)
      .orderBy('position')
      .limit(pageRows)
      .execute();
    for (const { chain, life, seq, hash } of rows)
      changed.set(`${chain} ${life}`, [chain, life, seq, hash]);
    const last = rows.at(-1);
    if (last === undefined) return { upTo, changed: [...changed.values()] };
    upTo = last.position;
  }
};

/** Keep a checkpoint, and the leaves as they are with it. In a transaction of the leader. */
export const saveCheckpoint = async (db: Db, row: CheckpointRow): Promise<void> => {
  await db
    .insertInto('audit_checkpoints')
    .values({
      ...{ number: row.number, hash: row.hash, made_at: row.madeAt, up_to: row.upTo },
      ...{ statement: JSON.stringify(row.statement), changed: JSON.stringify(row.changed) },
    })
    .execute();
  for (const [chain, life, length, head] of row.changed)
    await db
      .insertInto('audit_leaves')
      .values({ chain, life, length, head })
      .onConflict((clash) => clash.columns(['chain', 'life']).doUpdateSet({ length, head }))
      .execute();
};

/** Checkpoints after a number, oldest first; up to `limit` of them. */
export const checkpointsAfter = async (
  db: Db,
  number: number,
  limit: number,
): Promise<CheckpointRow[]> =>
  (
    await db
      .selectFrom('audit_checkpoints')
      .selectAll()
      .where('number', '>', number)
      .orderBy('number')
      .limit(limit)
      .execute()
  ).map((row) => ({
    ...{ number: row.number, hash: row.hash, madeAt: row.made_at, upTo: row.up_to },
    statement: JSON.parse(row.statement) as unknown,
    changed: JSON.parse(row.changed) as LeafRow[],
  }));

export interface StoredAuditRecord {
  position: number;
  chain: string;
  life: string;
  seq: number;
  hash: string;
  /** As JSON. */
  record: string;
}

/** Records after one position, up to and with another, in the order in which they came; at most `limit`. */
export const recordsBetween = (
  db: Db,
  after: number,
  upTo: number,
  limit: number,
): Promise<StoredAuditRecord[]> =>
  db
    .selectFrom('audit_records')
    .select(['position', 'chain', 'life', 'seq', 'hash', 'record'])
    .where('position', '>', after)
    .where('position', '<=', upTo)
    .where('proven', '=', 1)
    .orderBy('position')
    .limit(limit)
    .execute();

/** A key that has signed checkpoints: base64 of its public half (DER, SPKI), and since when (wall clock, ms). */
export interface AuditKey {
  id: string;
  publicKey: string;
  since: number;
}

/** All of them, oldest first. */
export const auditKeys = async (db: Db): Promise<AuditKey[]> =>
  (await db.selectFrom('audit_keys').selectAll().orderBy('since').execute()).map(
    ({ id, public_key, since }) => ({ id, publicKey: public_key, since }),
  );

export const saveAuditKey = async (db: Db, { id, publicKey, since }: AuditKey): Promise<void> => {
  await db
    .insertInto('audit_keys')
    .values({ id, public_key: publicKey, since })
    .onConflict((clash) => clash.column('id').doNothing())
    .execute();
};

/** The last checkpoint that a place outside has been sent; 0: none. */
export const anchoredUpTo = async (db: Db, name: string): Promise<number> =>
  (
    await db
      .selectFrom('audit_anchors')
      .select('number')
      .where('name', '=', name)
      .executeTakeFirst()
  )?.number ?? 0;

export const saveAnchored = async (db: Db, name: string, number: number): Promise<void> => {
  await db
    .insertInto('audit_anchors')
    .values({ name, number })
    .onConflict((clash) => clash.column('name').doUpdateSet({ number }))
    .execute();
};
