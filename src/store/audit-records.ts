import type { Kysely } from 'kysely';
import type { AuditRow } from '../core/coordinator/api-rows.ts';
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

/**
 * Append records of any chain; one that is there already (a redelivered copy) is left as it is. Only one that does not go on its
 * chain gives its place to the one that does: it would else be missing in the chain for ever. That has a new position, as
 * checkpoints which have not seen it may be over the old one.
 */
export const appendAuditRecords = async (
  db: Kysely<FleetTables>,
  records: NewAuditRecord[],
): Promise<void> => {
  for (const { chain, life, seq, hash, record, proven } of records) {
    const name = textOrNull(record['container']);
    const subject = textOrNull(record['subject'])?.replace(/^container /, '') ?? null;
    if (proven)
      await db
        .deleteFrom('audit_records')
        .where('chain', '=', chain)
        .where('life', '=', life)
        .where('seq', '=', seq)
        .where('proven', '=', 0)
        .execute();
    await db
      .insertInto('audit_records')
      .values({
        chain,
        life,
        seq,
        hash,
        container: name === null ? subject : name.includes('/') ? name : `${chain}/${name}`,
        service: textOrNull(record['service']),
        wave_id: textOrNull(record['waveId']) ?? textOrNull(record['wave']),
        actor: textOrNull(record['actor']) ?? '',
        at: textOrNull(record['at']) ?? '',
        outcome: textOrNull(record['outcome']),
        record: JSON.stringify(record),
        proven: proven ? 1 : 0,
      })
      .onConflict((clash) => clash.columns(['chain', 'life', 'seq']).doNothing())
      .execute();
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

export interface AuditFilter {
  container: string | undefined;
  service: string | undefined;
  wave: string | undefined;
  actor: string | undefined;
  outcome: string | undefined;
  /** Wall-clock times in ISO 8601, UTC. */
  since: string | undefined;
  until: string | undefined;
  after: number;
  limit: number;
}

/** The newest `limit` records that fit the filter, or the next ones after a position; oldest first. */
export const listAuditRecords = async (
  db: Kysely<FleetTables>,
  filter: AuditFilter,
): Promise<AuditRow[]> => {
  let query = db
    .selectFrom('audit_records')
    .select(['position', 'chain', 'seq', 'hash', 'record', 'proven'])
    .where('position', '>', filter.after);
  if (filter.container !== undefined) query = query.where('container', '=', filter.container);
  if (filter.service !== undefined) query = query.where('service', '=', filter.service);
  if (filter.wave !== undefined) query = query.where('wave_id', '=', filter.wave);
  if (filter.actor !== undefined) query = query.where('actor', '=', filter.actor);
  if (filter.outcome !== undefined) query = query.where('outcome', '=', filter.outcome);
  if (filter.since !== undefined) query = query.where('at', '>=', filter.since);
  if (filter.until !== undefined) query = query.where('at', '<=', filter.until);
  // After a position: those that follow it, so that whoever follows misses none.
  const follows = filter.after > 0;
  const rows = await query
    .orderBy('position', follows ? 'asc' : 'desc')
    .limit(filter.limit)
    .execute();
  return (follows ? rows : rows.reverse()).map((row) => ({
    ...row,
    record: JSON.parse(row.record) as Record<string, unknown>,
    proven: row.proven === 1,
  }));
};
