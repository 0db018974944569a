import type { KeyObject } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../core/error-code.ts';
import { auditSegments, lastCheckpointBefore, segmentLeaves } from '../store/audit-segments.ts';
import type { AuditSegment } from '../store/audit-segments.ts';
import { checkpointsAfter } from '../store/checkpoints.ts';
import type { LeafRow } from '../store/checkpoints.ts';
import type { Store } from '../store/open-store.ts';
import { readBundlePages, writeBundleFile } from './bundle-file.ts';
import { Checkpoint } from './checkpoint.ts';
import type { CheckpointKey } from './checkpoint.ts';
import { bundleBody, endLine, sealedPlace, startLine } from './export-bundle.ts';
import { verifyBundle } from './verify-bundle.ts';

export interface SealOptions {
  store: Store;
  /** Where segments lie. */
  directory: string;
  key: CheckpointKey;
  keys: ReadonlyMap<string, KeyObject>;
  /** Records that a checkpoint before this time has seen are sealed; wall clock, ms. A whole day at least. */
  before: number;
  now: Date;
}

const pageRows = 1_000;

/** How far each chain went at a checkpoint. */
const leavesAt = async (
  { db }: Store,
  from: { number: number; leaves: readonly LeafRow[] },
  last: number,
): Promise<LeafRow[]> => {
  const leaves = new Map(from.leaves.map((leaf) => [`${leaf[0]} ${leaf[1]}`, leaf]));
  for (let number = from.number; number < last;) {
    const page = await checkpointsAfter(db, number, pageRows);
    for (const row of page.filter((one) => one.number <= last))
      for (const leaf of row.changed) leaves.set(`${leaf[0]} ${leaf[1]}`, leaf);
    number = page.at(-1)?.number ?? last;
  }
  return [...leaves.values()];
};

/**
 * Write old records, with their checkpoints, into a compressed file of their own, which is a bundle and is verified before
 * anybody relies on it. Answers the segment, which is not recorded yet; null where nothing is old enough. Throws, with no
 * file left, where what is in the store does not verify: it then stays where it is, for a person to look at.
 */
export const sealRecords = async (
  options: SealOptions,
): Promise<{ segment: AuditSegment; leaves: LeafRow[] } | null> => {
  const { store, directory, key, keys, before, now } = options;
  const segments = await auditSegments(store.db);
  const from = sealedPlace(segments);
  const last = await lastCheckpointBefore(store.db, before, from.checkpoint.number);
  if (last === null) return null;
  const number = segments.length + 1;
  const known = number === 1 ? [] : await segmentLeaves(store.db, number - 1);
  const file = `${String(number).padStart(6, '0')}.jsonl.gz`;
  const path = join(directory, file);
  async function* lines(): AsyncGenerator<string> {
    const [at] = await checkpointsAfter(store.db, from.checkpoint.number - 1, 1);
    yield startLine(
      number === 1 ? null : { checkpoint: Checkpoint.parse(at?.statement), leaves: known },
    );
    const written = yield* bundleBody(store.db, from, last?.number ?? 0);
    yield endLine({ ...written, of: 'segment' }, now, key);
  }
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const partial = `${path}.partial`;
  try {
    await rm(partial, { force: true });
    await writeBundleFile(partial, lines());
    const rules = { keys, anchors: [], partial: true, underWayMs: 0 };
    const { findings } = await verifyBundle(readBundlePages(partial), rules);
    const [first] = findings;
    if (first !== undefined)
      throw new Error(
        `old audit records are not sealed, since they do not verify: ${first.what} (line ${first.line ?? '-'}); ${findings.length} in all; see: groundswell audit export`,
      );
    // A store that was restored from a backup gives numbers again: what was sealed before stays.
    await rename(path, `${path}.${now.getTime()}`).catch((error: unknown) => {
      if (!hasCode(error, 'ENOENT')) throw error;
    });
    await rename(partial, path);
    const entry = await open(directory, 'r');
    try {
      await entry.sync();
    } finally {
      await entry.close();
    }
  } finally {
    await rm(partial, { force: true });
  }
  return {
    segment: {
      ...{ number, file, position: last.upTo },
      lastCheckpoint: { number: last.number, hash: last.hash },
    },
    leaves: await leavesAt(store, { number: from.checkpoint.number, leaves: known }, last.number),
  };
};
