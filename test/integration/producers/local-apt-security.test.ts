import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Configuration } from '../../../src/config/schema.ts';
import type { ParsedRecord } from '../../../src/core/advisories/advisory.ts';
import { openFeeds } from '../../../src/main/feeds.ts';
import { publishSuite } from './publish-suite.ts';
import { createSigningKey } from './signing-key.ts';
import type { SigningKey } from './signing-key.ts';

let own: SigningKey;
let other: SigningKey;
let directory: string;

beforeAll(() => {
  own = createSigningKey();
  other = createSigningKey();
});
afterAll(() => {
  own.remove();
  other.remove();
});
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gs-suite-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

/** What the server reads of a mirror that lies here, signed by somebody. */
const read = async (signer: SigningKey, keyrings?: string[]): Promise<ParsedRecord[]> => {
  const mirror = join(directory, 'mirror');
  publishSuite(
    {
      publish: (name, content) => {
        const path = join(mirror, name);
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, content);
      },
    },
    signer,
    'dists/bookworm-security',
    { fields: { 'Valid-Until': new Date(Date.now() + 86_400_000).toUTCString() } },
  );
  const config = Configuration.parse({
    feeds: [{ source: 'apt-security', path: mirror, ...(keyrings && { keyrings }) }],
  });
  const configured = await openFeeds(config, join(directory, 'feeds'));
  const records: ParsedRecord[] = [];
  const [feed] = configured.feedsFor([]).feeds;
  for await (const record of feed?.read('all') ?? []) records.push(record);
  await configured.close();
  return records;
};

const kinds = (records: readonly ParsedRecord[]): Set<string> =>
  new Set(records.map(({ kind }) => kind));

test('a suite that lies here is taken where a key that is named has signed it', async () => {
  expect(kinds(await read(own, [own.keyring]))).toEqual(new Set(['advisory']));
  expect(kinds(await read(own, [own.armored]))).toEqual(new Set(['advisory']));
});

test('and nothing of it where somebody else has, or nobody whom this machine knows', async () => {
  for (const keyrings of [[own.keyring], undefined]) {
    const records = await read(other, keyrings);
    expect(kinds(records)).toEqual(new Set(['problem']));
    expect(JSON.stringify(records)).toMatch(/no key of|no keyring|no good signature/);
  }
});
