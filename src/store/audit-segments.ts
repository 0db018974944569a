import type { Kysely } from 'kysely';
import type { LeafRow } from './checkpoints.ts';
import type { StoreTables } from './open-store.ts';

type Db = Kysely<StoreTables>;

/** A file that old records were moved into. */
export interface AuditSegment {
  /** From 1 on. */
  number: number;
  file: string;
  /** The checkpoint that it ends with, and the last record that this one has seen. */
  lastCheckpoint: { number: number; hash: string };
  position: number;
}

/** All of them, oldest first. */
export const auditSegments = async (db: Db): Promise<AuditSegment[]> =>
  (
    await db
      .selectFrom('audit_segments')
      .select(['number', 'file', 'last_checkpoint', 'hash', 'position'])
      .orderBy('number')
      .execute()
  ).map(({ number, file, last_checkpoint, hash, position }) => ({
    ...{ number, file, position, lastCheckpoint: { number: last_checkpoint, hash } },
  }));

/** How far each chain went at the end of a segment. */
export const segmentLeaves = async (db: Db, number: number): Promise<LeafRow[]> => {
  const { leaves } = await db
    .selectFrom('audit_segments')
    .select('leaves')
    .where('number', '=', number)
    .executeTakeFirstOrThrow();
  return JSON.parse(leaves) as LeafRow[];
};

export const saveSegment = async (
  db: Db,
  { number, file, lastCheckpoint, position }: AuditSegment,
  leaves: readonly LeafRow[],
): Promise<void> => {
  // Only the last one's are gone on from.
  await db.updateTable('audit_segments').set({ leaves: '[]' }).execute();
  await db
    .insertInto('audit_segments')
    .values({
      ...{ number, file, position, last_checkpoint: lastCheckpoint.number },
      ...{ hash: lastCheckpoint.hash, leaves: JSON.stringify(leaves) },
    })
    .execute();
};

/** The newest checkpoint that is older than a time (wall clock, ms), past a number; null: none is. */
export const lastCheckpointBefore = async (
  db: Db,
  madeBefore: number,
  after: number,
): Promise<{ number: number; hash: string; upTo: number } | null> => {
  const row = await db
    .selectFrom('audit_checkpoints')
    .select(['number', 'hash', 'up_to'])
    .where('made_at', '<', madeBefore)
    .where('number', '>', after)
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? null : { number: row.number, hash: row.hash, upTo: row.up_to };
};

/**
 * Take away some of what a segment holds by now; answers whether there may be more. Its last checkpoint stays, and those that
 * are still to be sent outside (from `unsent` on).
 */
export const dropSealed = async (
  db: Db,
  { position, lastCheckpoint }: Pick<AuditSegment, 'position' | 'lastCheckpoint'>,
  { rows, unsent }: { rows: number; unsent: number },
): Promise<boolean> => {
  const { numDeletedRows } = await db
    .deleteFrom('audit_records')
    .where('position', 'in', (query) =>
      query
        .selectFrom('audit_records')
        .select('position')
        .where('position', '<=', position)
        .orderBy('position')
        .limit(rows),
    )
    .executeTakeFirst();
  if (numDeletedRows > 0n) return true;
  const checkpoints = await db
    .deleteFrom('audit_checkpoints')
    .where('number', 'in', (query) =>
      query
        .selectFrom('audit_checkpoints')
        .select('number')
        .where('number', '<', Math.min(lastCheckpoint.number, unsent))
        .orderBy('number')
        .limit(rows),
    )
    .executeTakeFirst();
  return checkpoints.numDeletedRows > 0n;
};
