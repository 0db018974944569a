import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { openFeedFiles } from '../open-feed-files.ts';
import { readWhole } from '../read-whole.ts';
import type { MirrorFiles } from './mirror.ts';

const pack = promisify(gzip);
/** Several times what the largest record has. */
export const MOST_RECORD_BYTES = 128 * 1024 * 1024;

/**
 * Puts a record into the feed's directory, compressed: tens of thousands of them, with the same words in each. False where
 * the same lies there already.
 */
export const keepRecord = async (
  mirror: MirrorFiles,
  name: string,
  content: Uint8Array,
): Promise<boolean> => {
  const incoming = mirror.incoming(name);
  await writeFile(incoming, await pack(content, { level: 3 }));
  return mirror.put(incoming, name);
};

/**
 * Puts the records of an archive into the feed's directory, each as a file. `keep` tells from the path in the archive which
 * file, and whether it is wanted; null: it is not.
 */
export const unpackRecords = async (
  archive: string,
  mirror: MirrorFiles,
  keep: (path: string) => { name: string; accept: (content: Buffer) => Promise<boolean> } | null,
): Promise<void> => {
  for await (const file of openFeedFiles(archive)) {
    const wanted = keep(file.name.split('/').slice(1).join('/'));
    if (wanted === null) continue;
    const content = await readWhole(file, MOST_RECORD_BYTES);
    if (await wanted.accept(content)) await keepRecord(mirror, wanted.name, content);
  }
};
