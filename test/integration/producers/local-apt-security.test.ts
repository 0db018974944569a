import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Command } from 'commander';
import { registerMatch } from '../../../src/cli/local/match/match.ts';
import { Configuration } from '../../../src/config/schema.ts';
import type { ParsedRecord } from '../../../src/core/advisories/advisory.ts';
import { openFeeds } from '../../../src/main/feeds.ts';
import { matchSources } from '../../../src/main/match-sources.ts';
import { openFeedFiles } from '../../../src/producers/advisories/open-feed-files.ts';
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

/** A mirror that lies here, signed by somebody. */
const mirrorOf = (signer: SigningKey): string => {
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
  return mirror;
};

/** What the server reads of it. */
const read = async (signer: SigningKey, keyrings?: string[]): Promise<ParsedRecord[]> => {
  const mirror = mirrorOf(signer);
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

/** What `groundswell match` says of it. */
const match = async (signer: SigningKey, ...more: string[]): Promise<string> => {
  const status = join(directory, 'status');
  writeFileSync(
    status,
    'Package: a\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n',
  );
  let written = '';
  const program = new Command().exitOverride();
  registerMatch(program, {
    ...{ sources: matchSources, open: openFeedFiles },
    fetch: () => Promise.reject(new Error('nothing is fetched')),
    write: (text) => (written += text),
    warn: (text) => (written += text),
  });
  const feed = `apt-security=${mirrorOf(signer)}`;
  const argv = ['match', '--platform', 'debian-12', '--inventory', status, '--feed', feed, ...more];
  await program.parseAsync(argv, { from: 'user' });
  return written;
};

test('by hand it is taken as it lies there, and with --keyring only where that key has signed it', async () => {
  expect(await match(other)).toContain('1 advisory');
  expect(await match(own, '--keyring', own.keyring)).toContain('1 advisory');
  await expect(match(other, '--keyring', own.keyring)).rejects.toThrow(
    /no advisory was found in .*no good signature|no key of/,
  );
});
