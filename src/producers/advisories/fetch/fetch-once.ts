import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FeedProblem } from '../../../core/advisories/advisory.ts';
import type { FeedAddress, Fetcher } from './fetcher.ts';
import type { HttpOptions } from './http-options.ts';
import { createHttpClient } from './http.ts';

/** A feed in a directory of its own. */
export interface FetchedOnce {
  directory: string;
  problems: FeedProblem[];
  /** Takes the directory away. */
  remove: () => Promise<void>;
}

/** Fetches a feed into a new directory. Throws where it does not come as a whole, and leaves nothing then. */
export const fetchOnce = async (
  fetcher: Fetcher,
  address: FeedAddress,
  options: HttpOptions,
  signal: AbortSignal,
): Promise<FetchedOnce> => {
  const now = (): Date => new Date();
  const directory = await mkdtemp(join(tmpdir(), 'groundswell-feed-'));
  const remove = async (): Promise<void> => {
    await rm(directory, { recursive: true, force: true });
  };
  const http = createHttpClient(options, now);
  try {
    const fetched = await fetcher({ directory, address, http, now, signal, once: true });
    if (fetched.stopped !== null) throw fetched.stopped;
    return { directory, problems: fetched.problems, remove };
  } catch (error) {
    await remove();
    throw error;
  } finally {
    http.close();
  }
};
