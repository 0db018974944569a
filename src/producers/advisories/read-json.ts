import type { FeedFile } from './feed-file.ts';

/** One document in JSON. Throws what reading throws, and where it is no JSON in UTF-8. */
export const readJson = async (file: FeedFile): Promise<unknown> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of file.read()) chunks.push(chunk);
  const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  return JSON.parse(text) as unknown;
};
