import { sql } from 'kysely';
import type { Insertable, Kysely } from 'kysely';
import type { FleetTables } from './fleet-tables.ts';

export interface NewAuditRecord {
  chain: string;
  life: string;
  seq: number;
  hash: string;
  record: Record<string, unknown>;
  /** Whether it goes on its chain; what does not is shown, and is in no trail. */
  proven: boolean;
}

const textOrNull = (value: unknown): string | null => (typeof value === 'string' ? value : null);

/** A time in the one spelling that sorts as times do, however it was written; empty: it is none. */
const instant = (text: string): string => {
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? '' : new Date(ms).toISOString();
};

const rowOf = ({
  chain,
  life,
  seq,
  hash,
  record,
  proven,
}: NewAuditRecord): Insertable<FleetTables['audit_records']> => {
  const name = textOrNull(record['container']);
  const subject = textOrNull(record['subject'])?.replace(/^container /, '') ?? null;
  return {
    ...{ chain, life, seq, hash },
    container: name === null ? subject : name.includes('/') ? name : `${chain}/${name}`,
    service: textOrNull(record['service']),
    wave_id: textOrNull(record['waveId']) ?? textOrNull(record['wave']),
    actor: textOrNull(record['actor']) ?? '',
    at: instant(textOrNull(record['at']) ?? ''),
    outcome: textOrNull(record['outcome']),
    record: JSON.stringify(record),
    proven: proven ? 1 : 0,
  };
};

/** Rows of one statement: what it costs to make one is shared by so many. */
const rowsAtOnce = 50;

const insertRows = async (
  db: Kysely<FleetTables>,
  records: readonly NewAuditRecord[],
): Promise<void> => {
  for (let from = 0; from < records.length; from += rowsAtOnce)
    await db
      .insertInto('audit_records')
      .values(records.slice(from, from + rowsAtOnce).map(rowOf))
      .onConflict((clash) => clash.columns(['chain', 'life', 'seq']).doNothing())
      .execute();
};

/** Only a host that is broken, or in others' hands, has any: the index of these is empty nearly always. */
const isAnyUnproven = async (db: Kysely<FleetTables>): Promise<boolean> =>
  (await db
    .selectFrom('audit_records')
    .select('position')
    .where('proven', '=', sql.lit(0))
    .limit(1)
    .executeTakeFirst()) !== undefined;

const dropUnproven = async (
  db: Kysely<FleetTables>,
  { chain, life, seq }: NewAuditRecord,
): Promise<void> => {
  await db
    .deleteFrom('audit_records')
    .where('chain', '=', chain)
    .where('life', '=', life)
    .where('seq', '=', seq)
    .where('proven', '=', 0)
    .execute();
};

/**
 * Append records of any chain; one that is there already (a redelivered copy) is left as it is. Only one that does not go on its
 * chain gives its place to the one that does: it would else be missing in the chain for ever. That has a new position, as
 * checkpoints which have not seen it may be over the old one.
 */
export const appendAuditRecords = async (
  db: Kysely<FleetTables>,
  records: readonly NewAuditRecord[],
): Promise<void> => {
  if (records.length === 0) return;
  const allProven = records.every(({ proven }) => proven);
  if (allProven && !(await isAnyUnproven(db))) return insertRows(db, records);
  // One by one: a place may be given up to a later one of the same records.
  for (const record of records) {
    if (record.proven) await dropUnproven(db, record);
    await insertRows(db, [record]);
  }
};

/** Last link of one chain: where the next record goes on from. Also where all its records were sealed away. */
export const lastAuditLink = async (
  db: Kysely<FleetTables>,
  chain: string,
  life: string,
): Promise<{ seq: number; hash: string } | null> => {
  const record = await db
    .selectFrom('audit_records')
    .select(['seq', 'hash'])
    .where('chain', '=', chain)
    .where('life', '=', life)
    .where('proven', '=', 1)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (record !== undefined) return record;
  const leaf = await db
    .selectFrom('audit_leaves')
    .select(['length', 'head'])
    .where('chain', '=', chain)
    .where('life', '=', life)
    .executeTakeFirst();
  return leaf === undefined ? null : { seq: leaf.length, hash: leaf.head };
};

/** The hash of one record of a chain; null: it is not in the store, or was sealed away. */
export const auditHashAt = async (
  db: Kysely<FleetTables>,
  { chain, life, seq }: Pick<NewAuditRecord, 'chain' | 'life' | 'seq'>,
): Promise<string | null> =>
  (
    await db
      .selectFrom('audit_records')
      .select('hash')
      .where('chain', '=', chain)
      .where('life', '=', life)
      .where('seq', '=', seq)
      .where('proven', '=', 1)
      .executeTakeFirst()
  )?.hash ?? null;
