import { readFile, rm } from 'node:fs/promises';
import type { FetchContext } from './fetcher.ts';
import type { MirrorFiles } from './mirror.ts';

const MOST_BYTES = 64 * 1024;

/** A short text, such as a name of something else to fetch. */
export const fetchText = async (
  url: string,
  mirror: Pick<MirrorFiles, 'incoming'>,
  { http, signal }: FetchContext,
): Promise<string> => {
  const to = mirror.incoming('text');
  await http.download({ url, to, maxBytes: MOST_BYTES }, signal);
  const text = await readFile(to, 'utf8');
  await rm(to);
  return text;
};
