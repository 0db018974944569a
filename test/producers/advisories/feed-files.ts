import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { Advisory, FeedProblem } from '../../../src/core/advisories/advisory.ts';
import { Advisory as AdvisorySchema } from '../../../src/core/advisories/advisory.ts';
import type { AdvisorySource, FeedFile } from '../../../src/producers/advisories/feed-file.ts';

/** What a fixture holds, without what compresses it. */
export const fixture = (name: string): Buffer => {
  const content = readFileSync(new URL(`../../fixtures/feeds/${name}`, import.meta.url));
  return name.endsWith('.gz') ? gunzipSync(content) : content;
};

/** In pieces that split lines and characters. */
const pieces = function* (content: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < content.length; at += 1_000_003) yield content.subarray(at, at + 1_000_003);
};

export const fileOf = (name: string, content: Uint8Array | string): FeedFile => {
  // eslint-disable-next-line @typescript-eslint/require-await
  const read = async function* (): AsyncGenerator<Uint8Array> {
    yield* pieces(typeof content === 'string' ? Buffer.from(content) : content);
  };
  return { name, read, readRaw: read };
};

/** Files as sources get them. */
// eslint-disable-next-line @typescript-eslint/require-await
export const iterated = async function* (files: readonly FeedFile[]): AsyncGenerator<FeedFile> {
  yield* files;
};

/** All that a source makes of some files; every advisory has the shape that is promised. */
export const parsed = async (
  source: AdvisorySource,
  files: readonly FeedFile[],
): Promise<{ advisories: Advisory[]; problems: FeedProblem[] }> => {
  const result: { advisories: Advisory[]; problems: FeedProblem[] } = {
    advisories: [],
    problems: [],
  };
  for await (const record of source.parse(iterated(files))) {
    if (record.kind === 'advisory') result.advisories.push(AdvisorySchema.parse(record.advisory));
    else result.problems.push(record.problem);
  }
  return result;
};
