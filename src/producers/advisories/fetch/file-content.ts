import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { openFeedFiles } from '../open-feed-files.ts';

/** The checksum of a file as it is stored, in hexadecimal digits. */
export const fileHash = async (path: string, algorithm = 'sha256'): Promise<string> => {
  const hash = createHash(algorithm);
  for await (const piece of createReadStream(path) as AsyncIterable<Buffer>) hash.update(piece);
  return hash.digest('hex');
};

/** What is in a file, without what compresses it. Fails beyond the limits, and where it is damaged. */
export const contentOf = async function* (path: string): AsyncGenerator<Uint8Array> {
  for await (const file of openFeedFiles(path)) yield* file.read();
};
