import type { FeedFile } from './feed-file.ts';
import { readWhole } from './read-whole.ts';

/** Several times what the largest document has that is read as a whole. */
const MOST_BYTES = 128 * 1024 * 1024;

/** One document in JSON. Throws what reading throws, where it is too large, and where it is no JSON in UTF-8. */
export const readJson = async (file: FeedFile): Promise<unknown> => {
  const text = new TextDecoder('utf-8', { fatal: true }).decode(await readWhole(file, MOST_BYTES));
  return JSON.parse(text) as unknown;
};
