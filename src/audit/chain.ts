import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { AuditDetails } from '../core/audit-details.ts';
import { wellFormed } from '../core/well-formed.ts';

/** What a record of the audit says; `null` where it does not apply. Times: see each. */
export interface AuditEntry {
  /** Wall-clock time in ISO 8601, for people. */
  at: string;
  /** Server time in ms (R14): what is compared. */
  serverTime: number;
  host: string;
  /** One life of the agent's journal: a chain begins anew with each. */
  life: string;
  actor: string;
  action: string;
  /** A host, or `host/container`, where an agent acts; else kind and name: `wave …`, `service web`. */
  subject: string;
  service: string | null;
  /** Why it was done: the job or event that led to it. */
  cause: string | null;
  wave: string | null;
  grant: string | null;
  outcome: string | null;
  details: AuditDetails;
}

/** A record in its chain: its place, and the hash of the one before. */
export interface ChainRecord extends AuditEntry {
  seq: number;
  previous: string;
}

/** The last link of a chain: where the next record goes on from. */
export interface Link {
  seq: number;
  hash: string;
}

/** Before the first record of a chain. */
export const chainStart: Link = { seq: 0, hash: '0'.repeat(64) };

export interface ChainedRecord {
  seq: number;
  hash: string;
  record: ChainRecord;
}

/** SHA-256, in hex, of a value's canonical JSON (RFC 8785). Throws on what JSON cannot carry. */
export const hashCanonical = (value: unknown): string => {
  const text = canonicalize(value);
  if (text === undefined) throw new Error('an audit record cannot be written as JSON');
  return createHash('sha256').update(text).digest('hex');
};

/** The next record of a chain. */
export const chainRecord = (last: Link, entry: AuditEntry): ChainedRecord => {
  const record = { ...wellFormed(entry), seq: last.seq + 1, previous: last.hash };
  return { seq: record.seq, hash: hashCanonical(record), record };
};

/** A record as it was stored or copied: nothing of it is believed before it was verified. */
export interface StoredRecord {
  seq: number;
  hash: string;
  record: Readonly<Record<string, unknown>>;
}

export type ChainVerdict =
  | { kind: 'intact'; head: Link }
  /** `seq`: the first record that is wrong, or missing. */
  | { kind: 'broken'; seq: number; reason: string };

const broken = (seq: number, reason: string): ChainVerdict => ({ kind: 'broken', seq, reason });

/**
 * Whether records, in their order, are one unbroken chain from `from` on: finds edits, gaps, swaps,
 * doubles and records of another chain. With `head` (from a checkpoint, or the live chain) also a cut
 * end. Never throws.
 */
export const verifyChain = (
  records: readonly StoredRecord[],
  { from = chainStart, head }: { from?: Link; head?: Link } = {},
): ChainVerdict => {
  let last = from;
  for (const { seq, hash, record } of records) {
    const wanted = last.seq + 1;
    if (seq !== wanted)
      return broken(
        wanted,
        `record ${wanted} is missing or out of order: found ${seq} in its place`,
      );
    if (record['seq'] !== seq) return broken(seq, `record ${seq} says that it is another`);
    if (record['previous'] !== last.hash)
      return broken(seq, `record ${seq} does not follow the one before it`);
    let actual;
    try {
      actual = hashCanonical(record);
    } catch {
      return broken(seq, `record ${seq} is no JSON`);
    }
    if (actual !== hash) return broken(seq, `record ${seq} was changed: its hash does not fit`);
    last = { seq, hash };
  }
  if (head === undefined) return { kind: 'intact', head: last };
  if (last.seq < head.seq)
    return broken(last.seq + 1, `the chain was cut: ${head.seq} records were written`);
  const atHead = head.seq === last.seq ? last.hash : records[head.seq - from.seq - 1]?.hash;
  return atHead === head.hash
    ? { kind: 'intact', head: last }
    : broken(head.seq, `record ${head.seq} is not the one that was checkpointed`);
};
