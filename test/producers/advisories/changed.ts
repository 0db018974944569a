import { fc } from '@fast-check/jest';

/** A value of which one part, at any depth, is another one. */
const changedAt = (value: unknown, path: readonly number[], other: unknown): unknown => {
  const [step, ...rest] = path;
  if (step === undefined || typeof value !== 'object' || value === null) return other;
  const keys = Object.keys(value);
  const key = keys[step % Math.max(1, keys.length)];
  if (key === undefined) return other;
  const inner = changedAt((value as Record<string, unknown>)[key], rest, other);
  return Array.isArray(value)
    ? value.map((element: unknown, index) => (String(index) === key ? inner : element))
    : { ...value, [key]: inner };
};

/** JSON documents like the given ones, but with another value somewhere. */
export const changedJson = (documents: readonly unknown[]): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.constantFrom(...documents),
      fc.array(fc.nat(20), { maxLength: 7 }),
      fc.oneof(fc.jsonValue(), fc.constantFrom(1e308, '\u0000', '[[[[', '../../x', '0', [])),
    )
    .map(([document, path, other]) => JSON.stringify(changedAt(document, path, other)));

/** Bytes of documents that are cut off, or of which some are others. */
export const damagedBytes = (documents: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(
      fc.constantFrom(...documents),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
    )
    .map(([document, part, changes]) => {
      const bytes = Buffer.from(document.subarray(0, Math.ceil(document.length * part)));
      for (const [at, byte] of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte;
      return bytes;
    });
