import canonicalize from 'canonicalize';
import { z } from 'zod';
import { Checkpoint, Leaf } from './checkpoint.ts';
import { isPlainlyCanonical } from './plainly-canonical.ts';

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

export interface RecordLine {
  type: 'record';
  chain: string;
  life: string;
  seq: number;
  hash: string;
  record: Record<string, unknown>;
}

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
  /** A whole trail that was exported, or a part of it that was sealed away. */
  of: z.enum(['export', 'segment']),
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

const isSorted = (keys: readonly string[]): boolean =>
  keys.every((key, index) => index === 0 || (keys[index - 1] ?? '') < key);

/** Deeper than any line: what is signed and sent has 32 levels at most. */
const mostLevels = 64;

const hasSortedKeys = (value: unknown, levels = mostLevels): boolean => {
  if (typeof value !== 'object' || value === null) return true;
  if (levels === 0) return false;
  const below = (one: unknown): boolean => hasSortedKeys(one, levels - 1);
  if (Array.isArray(value)) return value.every(below);
  return isSorted(Object.keys(value)) && Object.values(value).every(below);
};

const isCanonicalText = (text: string, value: unknown): boolean => {
  try {
    return canonicalText(value) === text;
  } catch {
    return false; // half a surrogate pair, or deeper than anything that was ever written
  }
};

/**
 * Whether `text` is the canonical JSON (RFC 8785) of the value that was parsed from it. Most texts show it at a look. Of the others
 * ECMAScript's own JSON is what that standard is made of, and several times as fast; it differs in the order of keys (those that
 * look like numbers come first) and in halves of surrogate pairs.
 */
export const isCanonical = (text: string, value: unknown): boolean => {
  if (isPlainlyCanonical(text, mostLevels)) return true;
  try {
    if (!text.includes('\\ud') && JSON.stringify(value) === text && hasSortedKeys(value))
      return true;
  } catch {
    return false; // deeper than JSON can be written
  }
  return isCanonicalText(text, value);
};

const schemas = { start: BundleStart, checkpoint: CheckpointLine, end: BundleEnd } as const;

const typeEnding = /"type":"(start|checkpoint|end)"\}$/;

/** A line that was read, with the canonical text of the record in it where it is one. */
export type ReadLine =
  { kind: 'line'; line: BundleLine; record: string } | { kind: 'unreadable'; reason: string };

const unreadable = (reason: string): ReadLine => ({ kind: 'unreadable', reason });

const hashForm = /^[0-9a-f]{64}$/;
const recordEnding = '"type":"record"}';

/** By hand: a schema would take most of the time of verifying. Each of these is there, and no other key. */
const isRecordLine = (value: object): value is RecordLine => {
  const { chain, hash, life, record, seq, type } = value as Record<string, unknown>;
  return (
    Object.keys(value).length === 6 &&
    typeof chain === 'string' &&
    typeof hash === 'string' &&
    hashForm.test(hash) &&
    typeof life === 'string' &&
    typeof record === 'object' &&
    record !== null &&
    Number.isSafeInteger(seq) &&
    type === 'record'
  );
};

const recordKey = ',"record":';

/** What stands below `record` in the text of a record's line: no text within JSON has a quotation mark behind a comma. */
const recordIn = (text: string): string =>
  text.slice(text.indexOf(recordKey) + recordKey.length, text.lastIndexOf(',"seq":'));

/**
 * One line of a bundle. It must be spelled in the one way that RFC 8785 has for it: doubled keys, other spellings of a number
 * or a character, and numbers that a double cannot hold would otherwise read as something else than what was hashed.
 */
export const readLine = (text: string): ReadLine => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return unreadable('is no JSON');
  }
  if (typeof value !== 'object' || value === null)
    return unreadable('is no line of a bundle of this format');
  if (!isCanonical(text, value))
    return unreadable('is not spelled in the one canonical way: it was written anew');
  if (text.endsWith(recordEnding))
    return isRecordLine(value)
      ? { kind: 'line', line: value, record: recordIn(text) }
      : unreadable('is no record');
  const type = typeEnding.exec(text)?.[1];
  const schema = schemas[type as keyof typeof schemas] as
    (typeof schemas)[keyof typeof schemas] | undefined;
  if (schema === undefined) return unreadable('is no line of a bundle of this format');
  const parsed = schema.safeParse(value);
  return parsed.success
    ? { kind: 'line', line: parsed.data, record: '' }
    : unreadable(`is no ${type ?? ''}: ${z.prettifyError(parsed.error)}`);
};
