import canonicalize from 'canonicalize';
import { z } from 'zod';
import { Checkpoint, Leaf } from './checkpoint.ts';

/** The lines of a bundle (docs/reference/audit-format.md); each is canonical JSON (RFC 8785). */
export const bundleFormat = 1;

const Hash = z.string().regex(/^[0-9a-f]{64}$/);

/** The first line: where the records go on from. A whole bundle goes on from nothing. */
export const BundleStart = z.strictObject({
  type: z.literal('start'),
  format: z.literal(bundleFormat),
  /** The checkpoint after which the records follow, and what its root is over; null: they begin with the first. */
  after: z.strictObject({ checkpoint: Checkpoint, leaves: z.array(Leaf) }).nullable(),
});
export type BundleStart = z.infer<typeof BundleStart>;

export const RecordLine = z.strictObject({
  type: z.literal('record'),
  chain: z.string().min(1).max(100),
  life: z.string().max(100),
  seq: z.int().min(1),
  hash: Hash,
  record: z.record(z.string(), z.unknown()),
});
export type RecordLine = z.infer<typeof RecordLine>;

/** A checkpoint over all records above it, and the leaves that are new or longer than at the one before. */
export const CheckpointLine = z.strictObject({
  type: z.literal('checkpoint'),
  checkpoint: Checkpoint,
  changed: z.array(Leaf),
});
export type CheckpointLine = z.infer<typeof CheckpointLine>;

/** The last line, signed: what the lines above it are, so that none can be cut from the end. */
export const BundleEnd = z.strictObject({
  type: z.literal('end'),
  /** Wall-clock time in ISO 8601. */
  at: z.iso.datetime(),
  /** Lines of records in this bundle. */
  records: z.int().min(0),
  /** The last checkpoint in it, or the one that it goes on from; `{number: 0}` with zeros where there is none. */
  checkpoint: z.strictObject({ number: z.int().min(0), hash: Hash }),
  keyId: z.string().regex(/^[0-9a-f]{16}$/),
  signature: z.string().length(88),
});
export type BundleEnd = z.infer<typeof BundleEnd>;

export type BundleLine = BundleStart | RecordLine | CheckpointLine | BundleEnd;

/** A value as canonical JSON. Throws on what JSON cannot carry. */
export const canonicalText = (value: unknown): string => {
  const text = canonicalize(value);
  if (text === undefined) throw new Error('it cannot be written as JSON');
  return text;
};

/** A record's line around its own canonical text: what is hashed is written once. */
export const recordText = (
  { chain, life, seq, hash }: Omit<RecordLine, 'type' | 'record'>,
  record: string,
): string =>
  `{"chain":${JSON.stringify(chain)},"hash":"${hash}","life":${JSON.stringify(life)},"record":${record},"seq":${String(seq)},"type":"record"}`;

const schemas = {
  start: BundleStart,
  record: RecordLine,
  checkpoint: CheckpointLine,
  end: BundleEnd,
} as const;

/** A line that was read, with the canonical text of the record in it where it is one. */
export type ReadLine =
  { kind: 'line'; line: BundleLine; record: string } | { kind: 'unreadable'; reason: string };

/**
 * One line of a bundle. It must be spelled in the one way that RFC 8785 has for it: doubled keys, other spellings of a number
 * or a character, and numbers that a double cannot hold would otherwise read as something else than what was hashed.
 */
export const readLine = (text: string): ReadLine => {
  const unreadable = (reason: string): ReadLine => ({ kind: 'unreadable', reason });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return unreadable('is no JSON');
  }
  const type = z
    .object({ type: z.enum(['start', 'record', 'checkpoint', 'end']) })
    .safeParse(value);
  if (!type.success) return unreadable('is no line of a bundle of this format');
  const parsed = schemas[type.data.type].safeParse(value);
  if (!parsed.success)
    return unreadable(`is no ${type.data.type}: ${z.prettifyError(parsed.error)}`);
  const line = parsed.data;
  try {
    const record = line.type === 'record' ? canonicalText(line.record) : '';
    const canonical = line.type === 'record' ? recordText(line, record) : canonicalText(line);
    return canonical === text
      ? { kind: 'line', line, record }
      : unreadable('is not spelled in the one canonical way: it was written anew');
  } catch {
    return unreadable('holds what canonical JSON cannot');
  }
};
