import type { Kysely } from 'kysely';
import type { AuditRow } from '../core/coordinator/api-rows.ts';
import { auditBlock, blockOf } from './audit-blocks.ts';
import type { FleetTables } from './fleet-tables.ts';

export interface AuditFilter {
  container: string | undefined;
  service: string | undefined;
  wave: string | undefined;
  actor: string | undefined;
  outcome: string | undefined;
  /** Wall-clock times in ISO 8601. */
  since: string | undefined;
  until: string | undefined;
  after: number;
  limit: number;
}

type Db = Kysely<FleetTables>;

/** As they are stored: in UTC, to the millisecond. */
const instant = (text: string): string => new Date(text).toISOString();

const fitting = (db: Db, filter: AuditFilter) => {
  let query = db
    .selectFrom('audit_records')
    .select(['position', 'chain', 'seq', 'hash', 'record', 'proven'])
    .where('position', '>', filter.after);
  if (filter.container !== undefined) query = query.where('container', '=', filter.container);
  if (filter.service !== undefined) query = query.where('service', '=', filter.service);
  if (filter.wave !== undefined) query = query.where('wave_id', '=', filter.wave);
  if (filter.actor !== undefined) query = query.where('actor', '=', filter.actor);
  if (filter.outcome !== undefined) query = query.where('outcome', '=', filter.outcome);
  if (filter.since !== undefined) query = query.where('at', '>=', instant(filter.since));
  if (filter.until !== undefined) query = query.where('at', '<=', instant(filter.until));
  return query;
};

type Row = Omit<AuditRow, 'record' | 'proven'> & { record: string; proven: number };
type Direction = 'asc' | 'desc';

/** First or last position after another one; null: there is none. */
const endOf = async (db: Db, after: number, direction: Direction): Promise<number | null> =>
  (
    await db
      .selectFrom('audit_records')
      .select('position')
      .where('position', '>', after)
      .orderBy('position', direction)
      .limit(1)
      .executeTakeFirst()
  )?.position ?? null;

/** So many blocks are looked into by one statement at most: others have their turn between two of them. */
const mostBlocks = 16;

/** Block by block, where the index of the filter's columns is looked into: from one end on, until there are enough. */
const inBlocks = async (db: Db, filter: AuditFilter, direction: Direction): Promise<Row[]> => {
  const [first, last] = [
    await endOf(db, filter.after, 'asc'),
    await endOf(db, filter.after, 'desc'),
  ];
  const rows: Row[] = [];
  if (first === null || last === null) return rows;
  const [low, high] = [blockOf(first), blockOf(last)];
  for (let seen = 0, width = 1; seen <= high - low && rows.length < filter.limit;) {
    const count = Math.min(width, high - low + 1 - seen);
    const blocks = Array.from({ length: count }, (_, n) =>
      direction === 'asc' ? low + seen + n : high - seen - n,
    );
    const found = await fitting(db, filter)
      .where(auditBlock, 'in', blocks)
      .orderBy('position', direction)
      .limit(filter.limit - rows.length)
      .execute();
    rows.push(...found);
    seen += count;
    width = Math.min(width * 2, mostBlocks);
  }
  return rows;
};

/** The newest `limit` records that fit the filter, or the next ones after a position; oldest first. */
export const listAuditRecords = async (db: Db, filter: AuditFilter): Promise<AuditRow[]> => {
  // After a position: those that follow it, so that whoever follows misses none.
  const direction = filter.after > 0 ? 'asc' : 'desc';
  const { container, service, wave, actor, outcome, since, until, limit } = filter;
  const asked = [container, service, wave, actor, outcome, since, until];
  const isAnyAsked = asked.some((value) => value !== undefined);
  const rows: Row[] = isAnyAsked
    ? await inBlocks(db, filter, direction)
    : await fitting(db, filter).orderBy('position', direction).limit(limit).execute();
  return (direction === 'asc' ? rows : rows.reverse()).map((row) => ({
    ...row,
    record: JSON.parse(row.record) as Record<string, unknown>,
    proven: row.proven === 1,
  }));
};
