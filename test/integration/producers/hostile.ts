import { expect } from '@jest/globals';
import { fc } from '@fast-check/jest';
import type { Advisory, VersionScheme } from '../../../src/core/advisories/advisory.ts';
import { parseDebVersion } from '../../../src/core/versions/compare-deb-versions.ts';
import { parseRpmVersion } from '../../../src/core/versions/compare-rpm-versions.ts';
import type { AdvisorySource, FeedFile } from '../../../src/producers/advisories/feed-file.ts';
import { parsed } from '../../producers/advisories/feed-files.ts';

/** Documents that each property makes: always the same few, or many others (`npm run test:hostile`). */
const isLong = process.env['GROUNDSWELL_LONG'] !== undefined;
export const hostileRuns = isLong ? { numRuns: 10_000 } : { numRuns: 100, seed: 4 };
export const hostileTimeoutMs = isLong ? 7_200_000 : 60_000;

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

const isVersion = (text: string, scheme: VersionScheme): boolean => {
  if (scheme === 'deb') return parseDebVersion(text).ok;
  const parsedVersion = parseRpmVersion(text);
  return parsedVersion.ok && parsedVersion.version.release !== null;
};

/** What of an advisory is not of the form that is promised. */
const oddities = ({ affected, cves, id }: Advisory): string[] => [
  ...[id].filter((text) => !/^[\w.:+~/-]+$/.test(text)),
  ...cves.filter((cve) => !/^CVE-\d{4}-\d{4,}$/.test(cve)),
  ...affected.flatMap(({ name, fixed, introduced, scheme }) => [
    ...[name].filter((text) => !/^[\w+.~-]+$/.test(text)),
    ...[fixed, introduced].filter(
      (version): version is string => typeof version === 'string' && !isVersion(version, scheme),
    ),
  ]),
];

/**
 * Whether a source lives through files, and hands on nothing that is no advisory: no more than the `most` that there
 * were, and each of the form that is promised. What it says of the rest is something, and not without end.
 */
export const expectSound = async (
  source: AdvisorySource,
  files: readonly FeedFile[],
  most: number,
): Promise<void> => {
  const { advisories, problems } = await parsed(source, files);
  expect(advisories.length).toBeLessThanOrEqual(most);
  expect(advisories.flatMap(oddities)).toEqual([]);
  const silent = problems.filter((one) => one.reason === '' || JSON.stringify(one).length > 4000);
  expect(silent).toEqual([]);
};
