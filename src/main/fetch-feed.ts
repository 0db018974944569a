import process from 'node:process';
import { processEnvironment } from '../config/environment.ts';
import { proxyFrom } from '../config/proxy.ts';
import type { FetchedOnce } from '../producers/advisories/fetch/fetch-once.ts';
import type { FeedAddress } from '../producers/advisories/fetch/fetcher.ts';

/** Fetches a feed for a command, which may be interrupted meanwhile. What it takes to do so is loaded only then. */
export const fetchFeed = async (source: string, address: FeedAddress): Promise<FetchedOnce> => {
  const { fetchers } = await import('../producers/advisories/fetchers.ts');
  const { fetchOnce } = await import('../producers/advisories/fetch/fetch-once.ts');
  const { httpDefaults } = await import('../producers/advisories/fetch/http-options.ts');
  const fetcher = fetchers.get(source);
  if (fetcher === undefined) throw new Error(`${source} is no source that can be fetched`);
  const ending = new AbortController();
  const end = (): void => ending.abort(new Error('interrupted'));
  process.once('SIGINT', end).once('SIGTERM', end);
  try {
    if (process.stderr.isTTY) process.stderr.write(`Fetching ${source}...\n`);
    const options = { ...httpDefaults, proxy: proxyFrom(processEnvironment()) };
    return await fetchOnce(fetcher, address, options, ending.signal);
  } finally {
    process.off('SIGINT', end).off('SIGTERM', end);
  }
};
