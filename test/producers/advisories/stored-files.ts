import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { FeedFile } from '../../../src/producers/advisories/feed-file.ts';

export const fixtures = join(import.meta.dirname, '../../fixtures/feeds');

/** A feed's file as it is stored; `.gz` is unpacked on reading. */
export const storedFile = (name: string, content: Uint8Array | string): FeedFile => {
  const bytes = Buffer.from(content);
  const stored = (): Readable => Readable.from([bytes], { objectMode: false });
  return {
    name,
    read: () => (name.endsWith('.gz') ? stored().compose(createGunzip()) : stored()) as never,
    readRaw: stored,
  };
};

/** A file's bytes as they are stored. */
export const storedBytes = async (file: FeedFile): Promise<Buffer> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of file.readRaw()) chunks.push(chunk);
  return Buffer.concat(chunks);
};

/** One file of the fixtures, as it is stored. */
export const fixture = async (path: string): Promise<FeedFile> =>
  storedFile(path, await readFile(join(fixtures, path)));

/** All files below a directory of the fixtures. */
export const fixtureTree = async (path: string): Promise<FeedFile[]> => {
  const root = join(fixtures, path);
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  return Promise.all(
    paths.map(async (each) => storedFile(relative(root, each), await readFile(each))),
  );
};
