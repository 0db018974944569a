import type { Kysely } from 'kysely';
import type { HostId } from '../core/ids.ts';
import type { StoreTables } from './open-store.ts';

/** A job to a host that no answer has closed yet (R3). Times are server time in ms. */
export interface OutboxRow {
  jobId: string;
  hostId: HostId;
  kind: string;
  /** The signed envelope as JSON: drawn and signed once, so that each sending is the same job (R5). */
  envelope: string;
  createdAt: number;
  expiresAt: number;
}

/** A statement takes a limited number of parameters: 32,766 in SQLite. */
const rowsPerInsert = 1_000;

/** Put jobs into the outbox; call it in the transaction that writes their cause (R19). */
export const insertOutbox = async (
  db: Kysely<StoreTables>,
  rows: readonly OutboxRow[],
): Promise<void> => {
  for (let from = 0; from < rows.length; from += rowsPerInsert)
    await db
      .insertInto('outbox')
      .values(
        rows
          .slice(from, from + rowsPerInsert)
          .map(({ jobId, hostId, kind, envelope, createdAt, expiresAt }) => ({
            job_id: jobId,
            host_id: hostId,
            kind,
            envelope,
            created_at: createdAt,
            expires_at: expiresAt,
            closed_at: null,
            close_reason: null,
          })),
      )
      .execute();
};

/** The jobs that wait for an answer, oldest first. */
export const openOutbox = async (db: Kysely<StoreTables>, limit = 10_000): Promise<OutboxRow[]> => {
  const rows = await db
    .selectFrom('outbox')
    .select(['job_id', 'host_id', 'kind', 'envelope', 'created_at', 'expires_at'])
    .where('closed_at', 'is', null)
    .orderBy('created_at')
    .orderBy('job_id')
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    jobId: row.job_id,
    hostId: row.host_id,
    kind: row.kind,
    envelope: row.envelope,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  }));
};

/** Close jobs that were answered; one that is closed or unknown already is left as it is (R3). */
export const closeOutbox = async (
  db: Kysely<StoreTables>,
  jobIds: readonly string[],
  { closedAt, reason }: { closedAt: number; reason: string },
): Promise<void> => {
  if (jobIds.length === 0) return;
  await db
    .updateTable('outbox')
    .set({ closed_at: closedAt, close_reason: reason })
    .where('job_id', 'in', jobIds)
    .where('closed_at', 'is', null)
    .execute();
};

/** Forget closed jobs; answers how many. The audit trail keeps what they did. */
export const forgetClosedOutbox = async (
  db: Kysely<StoreTables>,
  closedBefore: number,
): Promise<number> => {
  const gone = await db
    .deleteFrom('outbox')
    .where('closed_at', '<', closedBefore)
    .executeTakeFirst();
  return Number(gone.numDeletedRows);
};
