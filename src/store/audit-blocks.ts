import { sql } from 'kysely';

/** As a power of two. */
const blockBits = 10;

/**
 * Audit records are indexed by blocks of so many, and within a block by what is asked for. An index over all of them would be written to
 * all over, one page for each record, the more records there are; this is written to at its end alone, however many there are. Who
 * asks looks into each block. The index and the question must say it in the same words.
 */
export const auditBlock = sql<number>`(position >> ${sql.lit(blockBits)})`;

export const blockOf = (position: number): number => Math.floor(position / 2 ** blockBits);
