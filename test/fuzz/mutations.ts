import fc from 'fast-check';

/** Whether many others are made than those that are always the same. */
export const isLong = process.env['GROUNDSWELL_LONG'] !== undefined;

/** What somebody might put into a document in the place of what belongs there. */
const INSERTS = [
  '',
  '<',
  '>',
  '&',
  '"',
  '\0',
  '\u{feff}',
  '<!DOCTYPE a [<!ENTITY b "c">]>',
  '&b;',
  '&#0;',
  '../../etc/passwd',
  '{',
  '[',
  '<a>'.repeat(2000),
  '['.repeat(20_000),
  '9'.repeat(400),
  'A'.repeat(200_000),
].map((text) => Buffer.from(text));

const insert = fc.oneof(
  fc.constantFrom(...INSERTS),
  fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
);

/** A document with up to some places cut out, written over or filled with something else, or that ends early. */
export const mutatedBytes = (original: Uint8Array): fc.Arbitrary<Buffer> => {
  const edit = fc.record({
    at: fc.nat(original.length),
    cut: fc.oneof(fc.nat(16), fc.nat(original.length)),
    insert,
  });
  return fc
    .array(edit, { minLength: 1, maxLength: 4 })
    .map((edits) =>
      edits.reduce<Buffer>(
        (bytes, { at, cut, insert: put }) =>
          Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + cut)]),
        Buffer.from(original),
      ),
    );
};

const nested = (depth: number): unknown => {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
};

const strange = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    -1,
    1e308,
    2 ** 53,
    '',
    '__proto__',
    '../../etc/passwd',
    'A'.repeat(100_000),
    '\u{ffff}\0',
    [],
    {},
    [[]],
    { constructor: 1 },
    nested(1000),
  ),
  fc.jsonValue(),
);

const paths = (value: unknown, path: string[] = []): string[][] =>
  typeof value === 'object' && value !== null
    ? [path, ...Object.entries(value).flatMap(([key, inner]) => paths(inner, [...path, key]))]
    : [path];

const withAt = (value: unknown, [key, ...rest]: string[], put: unknown): unknown => {
  if (key === undefined) return put;
  if (Array.isArray(value))
    return value.map((inner: unknown, at): unknown =>
      String(at) === key ? withAt(inner, rest, put) : inner,
    );
  if (typeof value !== 'object' || value === null) return value;
  return { ...value, [key]: withAt((value as Record<string, unknown>)[key], rest, put) };
};

/** A JSON document in which some values are of another kind than they must be. */
export const mutatedJson = (text: string): fc.Arbitrary<string> => {
  const original: unknown = JSON.parse(text);
  const places = fc.constantFrom(...paths(original));
  return fc
    .array(fc.tuple(places, strange), { minLength: 1, maxLength: 3 })
    .map((edits) =>
      JSON.stringify(
        edits.reduce<unknown>((value, [path, put]) => withAt(value, path, put), original),
      ),
    );
};
