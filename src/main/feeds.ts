import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Configuration, ConfiguredFeed } from '../config/schema.ts';
import { platformOf } from '../core/advisories/index-inventory.ts';
import { localVersion, openSomeFiles } from '../producers/advisories/local-feed.ts';
import { openFeedFiles } from '../producers/advisories/open-feed-files.ts';
import { advisorySources } from '../producers/advisories/sources.ts';
import type { WatchedFeed } from '../producers/watch-advisories.ts';

/** A path is only looked at. */
const localSeconds = 30;

const nameOf = ({ name, source }: ConfiguredFeed): string => name ?? source;

/** Feeds of which each advisory says that its vulnerability is exploited. */
export const exploitedFeedsOf = ({ feeds }: Configuration): ReadonlySet<string> =>
  new Set(feeds.filter(({ source }) => source === 'kev').map(nameOf));

const sourceOf = ({ source: name, platform }: ConfiguredFeed) => {
  const place = platform === undefined ? null : platformOf(platform);
  const source = advisorySources(place === null ? null : { ...place, channel: null }).get(name);
  if (source === undefined) throw new Error(`there is no kind of feed ${name}`);
  return source;
};

const localFeed = (feed: ConfiguredFeed, path: string): WatchedFeed => {
  const source = sourceOf(feed);
  return {
    ...{ name: nameOf(feed), source: feed.source, place: path },
    everyMs: (feed.everySeconds ?? localSeconds) * 1_000,
    silentAfterMs: feed.silentAfterHours * 3_600_000,
    fetch: async () => ({
      version: await localVersion(path),
      ...{ since: null, changed: 'all', complete: true, problems: [], stopped: null },
    }),
    read: (files) =>
      source.parse(files === 'all' ? openFeedFiles(path) : openSomeFiles(path, files)),
  };
};

/** The configured feeds, as they are watched. Mirrors of those that are fetched lie below `directory`. */
export const watchedFeeds = (config: Configuration, directory: string): WatchedFeed[] =>
  config.feeds.map((feed) => {
    if (feed.path !== undefined) return localFeed(feed, feed.path);
    throw new Error(`feed ${nameOf(feed)}: ${directory}`);
  });

/** Where feeds are kept. */
export const makeFeedsDirectory = async (serverDirectory: string): Promise<string> => {
  const directory = join(serverDirectory, 'feeds');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  return directory;
};
