import { join } from 'node:path';
import type { Kysely } from 'kysely';
import { auditSegments } from '../store/audit-segments.ts';
import type { AuditSegment } from '../store/audit-segments.ts';
import { checkpointsAfter, lastCheckpointRow, recordsBetween } from '../store/checkpoints.ts';
import type { CheckpointRow } from '../store/checkpoints.ts';
import type { Store, StoreTables } from '../store/open-store.ts';
import { readBundleFile } from './bundle-file.ts';
import { bundleFormat, canonicalText, recordText } from './bundle-lines.ts';
import type { BundleEnd, BundleStart } from './bundle-lines.ts';
import { noCheckpoint, signStatement } from './checkpoint.ts';
import type { CheckpointKey, CheckpointLink } from './checkpoint.ts';

const pageRows = 1_000;

/** What a bundle goes on from: the last checkpoint before it, and the last record that this one has seen. */
export interface BundlePlace {
  checkpoint: CheckpointLink;
  position: number;
}

/** Before the first record. */
const firstPlace: BundlePlace = { checkpoint: noCheckpoint, position: 0 };

/** Where the records that are not sealed go on from. */
export const sealedPlace = (segments: readonly AuditSegment[]): BundlePlace => {
  const last = segments.at(-1);
  return last === undefined
    ? firstPlace
    : { checkpoint: last.lastCheckpoint, position: last.position };
};

/** What was written of a bundle. */
export interface Written extends BundlePlace {
  records: number;
}

/** Records and checkpoints between two checkpoints as lines, the records of each before it. Answers where it ends. */
export async function* bundleBody(
  db: Kysely<StoreTables>,
  from: BundlePlace,
  lastNumber: number,
): AsyncGenerator<string, Written> {
  let { position } = from;
  let { checkpoint } = from;
  let records = 0;
  async function* recordsOf({ upTo }: CheckpointRow): AsyncGenerator<string> {
    while (position < upTo) {
      const rows = await recordsBetween(db, position, upTo, pageRows);
      if (rows.length === 0)
        throw new Error(`records before position ${upTo} are not in the store`);
      for (const { record, ...row } of rows) {
        records += 1;
        // A record is kept as it was written; only its canonical form was hashed.
        yield recordText(row, canonicalText(JSON.parse(record) as unknown));
      }
      position = rows.at(-1)?.position ?? upTo;
    }
  }
  while (checkpoint.number < lastNumber) {
    const page = await checkpointsAfter(db, checkpoint.number, pageRows);
    if (page.find(({ number }) => number === checkpoint.number + 1) === undefined)
      throw new Error(`checkpoint ${checkpoint.number + 1} is not in the store`);
    for (const row of page.filter(({ number }) => number <= lastNumber)) {
      yield* recordsOf(row);
      const { statement, changed } = row;
      yield canonicalText({ type: 'checkpoint', checkpoint: statement, changed });
      checkpoint = { number: row.number, hash: row.hash };
    }
  }
  return { checkpoint, position, records };
}

export const startLine = (after: BundleStart['after']): string =>
  canonicalText({ type: 'start', format: bundleFormat, after });

/**
 * A whole bundle, from the first record to the last checkpoint: what was sealed, and what is in the store. Throws where a
 * sealed file is not where it was put.
 */
export async function* wholeBundle(
  { db }: Store,
  { directory, now, key }: { directory: string; now: Date; key: CheckpointKey },
): AsyncGenerator<string> {
  const segments = await auditSegments(db);
  let sealed = 0;
  yield startLine(null);
  for (const { file } of segments)
    for await (const line of readBundleFile(join(directory, file)))
      if (!line.endsWith('"type":"start"}') && !line.endsWith('"type":"end"}')) {
        if (line.endsWith('"type":"record"}')) sealed += 1;
        yield line;
      }
  const last = await lastCheckpointRow(db);
  const { records, checkpoint } = yield* bundleBody(db, sealedPlace(segments), last?.number ?? 0);
  yield endLine({ of: 'export', records: sealed + records, checkpoint }, now, key);
}

/** The last line: what is above it, signed. */
export const endLine = (
  { of, records, checkpoint }: Pick<BundleEnd, 'of' | 'records' | 'checkpoint'>,
  at: Date,
  key: CheckpointKey,
): string =>
  canonicalText(signStatement({ type: 'end', of, at: at.toISOString(), records, checkpoint }, key));
