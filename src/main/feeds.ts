import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { arch } from 'node:os';
import { join } from 'node:path';
import { processEnvironment } from '../config/environment.ts';
import { proxyFrom } from '../config/proxy.ts';
import type { Configuration, ConfiguredFeed } from '../config/schema.ts';
import { platformOf } from '../core/advisories/index-inventory.ts';
import type { NamingHosts } from '../core/advisories/named-suites.ts';
import { defaultAddresses, publishedFeeds } from '../producers/advisories/default-addresses.ts';
import { createAptSecurity } from '../producers/advisories/apt-security/source.ts';
import { verifyWith } from '../producers/advisories/apt-security/verify-with.ts';
import type { AdvisorySource } from '../producers/advisories/feed-file.ts';
import type { FeedAddress } from '../producers/advisories/fetch/fetcher.ts';
import { httpDefaults } from '../producers/advisories/fetch/http-options.ts';
import { createHttpClient } from '../producers/advisories/fetch/http.ts';
import type { HttpClient } from '../producers/advisories/fetch/http.ts';
import { fetchers } from '../producers/advisories/fetchers.ts';
import { watchLocalVersion } from '../producers/advisories/local-feed.ts';
import { openFeedFiles, openSomeFiles } from '../producers/advisories/open-feed-files.ts';
import { advisorySources } from '../producers/advisories/sources.ts';
import type { WatchedFeed } from '../producers/watch-advisories.ts';
import { isNamedByHosts, namedFeeds, onlyForThose } from './named-feeds.ts';
import type { NamedFeed } from './named-feeds.ts';

/** How often a feed is asked by default: a path is only looked at, one large file comes seldom. */
const everySeconds = { path: 30, large: 3_600, url: 900 };
const large: readonly ConfiguredFeed['source'][] = ['debian-tracker', 'alma-errata', 'kev'];

const nameOf = ({ name, source }: ConfiguredFeed): string => name ?? source;

const namesOf = ({ feeds }: Configuration, kind: ConfiguredFeed['source']): ReadonlySet<string> =>
  new Set(feeds.filter(({ source }) => source === kind).map(nameOf));

/** Feeds of which each advisory says that its vulnerability is exploited. */
export const exploitedFeedsOf = (config: Configuration): ReadonlySet<string> =>
  namesOf(config, 'kev');

/** Feeds that are Debian's tracker, whose word on a CVE counts beside that of advisories. */
export const trackerFeedsOf = (config: Configuration): ReadonlySet<string> =>
  namesOf(config, 'debian-tracker');

const sourceOf = ({ source: name, platform }: ConfiguredFeed): AdvisorySource => {
  const place = platform === undefined ? null : platformOf(platform);
  const source = advisorySources(place === null ? null : { ...place, channel: null }).get(name);
  if (source === undefined) throw new Error(`there is no kind of feed ${name}`);
  return source;
};

/** Waves go by it, so it counts only where it is signed: whoever can write to a mirror here is nobody's word yet. */
const localSource = (feed: ConfiguredFeed, scratch: string): AdvisorySource =>
  feed.source === 'apt-security'
    ? createAptSecurity({
        verify: verifyWith(feed.keyrings, scratch),
        now: () => new Date(),
      })
    : sourceOf(feed);

const localFeed = (feed: ConfiguredFeed, path: string, scratch: string): WatchedFeed => {
  const source = localSource(feed, scratch);
  const version = watchLocalVersion(path, () => performance.now());
  return {
    ...{ name: nameOf(feed), source: feed.source, place: path },
    everyMs: (feed.everySeconds ?? everySeconds.path) * 1_000,
    silentAfterMs: feed.silentAfterHours * 3_600_000,
    fetch: async () => ({
      version: await version(),
      ...{ since: null, changed: 'all', complete: true, problems: [], stopped: null },
    }),
    read: (files) =>
      source.parse(files === 'all' ? openFeedFiles(path) : openSomeFiles(path, files)),
  };
};

const remoteFeed = (
  feed: ConfiguredFeed,
  {
    name,
    address,
    directory,
    http,
  }: {
    name: string;
    address: FeedAddress;
    directory: string;
    http: HttpClient;
  },
): WatchedFeed => {
  const source = sourceOf(feed);
  const fetcher = fetchers.get(feed.source);
  if (fetcher === undefined) throw new Error(`feed ${name}: ${feed.source} cannot be fetched`);
  const often = large.includes(feed.source) ? everySeconds.large : everySeconds.url;
  return {
    ...{ name, source: feed.source, place: address.url },
    everyMs: (feed.everySeconds ?? often) * 1_000,
    silentAfterMs: feed.silentAfterHours * 3_600_000,
    fetch: async (signal, evenIfMostIsGone) => {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const now = (): Date => new Date();
      return fetcher({ directory, address, http, now, signal, evenIfMostIsGone });
    },
    read: (files) =>
      source.parse(files === 'all' ? openFeedFiles(directory) : openSomeFiles(directory, files)),
  };
};

/** As distributors call the architecture of this machine: a fleet's hosts are mostly like its server. */
const machineArch = (): string => ({ x64: 'x86_64', arm64: 'aarch64' })[arch()] ?? arch();

/** EL's repositories go by the first number of a release. */
const releaseOf = (distro: string, release: string): string =>
  ['debian', 'ubuntu', 'amzn', 'fedora'].includes(distro)
    ? release
    : (release.split('.')[0] ?? release);

/** Where a feed comes from that names no place: the distributors' own addresses for its platform, or for those that are configured. */
const addressesOf = (
  feed: ConfiguredFeed,
  { platforms }: Configuration,
): { name: string; url: string }[] => {
  const ofAll = publishedFeeds.filter(
    ({ source, distros }) => source === feed.source && distros.length === 0,
  );
  if (ofAll.length > 0) return ofAll.map(({ url }) => ({ name: nameOf(feed), url }));
  const asked = feed.platform === undefined ? Object.keys(platforms) : [feed.platform];
  const found = asked.flatMap((platform) => {
    const place = platformOf(platform);
    if (place === null) return [];
    const { distro } = place;
    const release = releaseOf(distro, place.release);
    return defaultAddresses(feed.source, { distro, release, arch: machineArch() });
  });
  const distinct = [...new Map(found.map((one) => [one.url, one])).values()];
  if (distinct.length === 0)
    throw new Error(
      `feed ${nameOf(feed)}: no address of ${feed.source} is known for ${asked.join(', ') || 'any platform'}: give it a \`url\`, a \`path\` or a \`platform\``,
    );
  if (distinct.length === 1) return distinct.map(({ url }) => ({ name: nameOf(feed), url }));
  const names = new Map<string, number>();
  return distinct.map(({ name, url }) => {
    const count = (names.get(name) ?? 0) + 1;
    names.set(name, count);
    return { name: `${nameOf(feed)}-${name}${count === 1 ? '' : `-${count}`}`, url };
  });
};

const addressWith = (feed: ConfiguredFeed, url: string): FeedAddress => ({
  url,
  ...(feed.suite === undefined ? {} : { suite: feed.suite }),
  ...(feed.components === undefined ? {} : { components: feed.components }),
  ...(feed.architectures === undefined ? {} : { architectures: feed.architectures }),
  ...(feed.keyrings === undefined ? {} : { keyring: feed.keyrings }),
});

/** A suite that hosts name, as a feed of its own. */
const namedFeed = (
  { name, feed, suite, place }: NamedFeed,
  directory: string,
  http: HttpClient,
): WatchedFeed => {
  const { url, suite: called, components, architectures } = suite;
  const address: FeedAddress = {
    ...{ url, suite: called, components, architectures, tolerant: true },
    ...(feed.keyrings === undefined ? {} : { keyring: feed.keyrings }),
  };
  const watched = remoteFeed(feed, { name, address, directory: join(directory, name), http });
  return { ...watched, place, read: (files) => onlyForThose(watched.read(files), suite) };
};

/** The feeds of the configuration, as they are watched. */
export interface ConfiguredFeeds {
  /** All of them, with those that hosts name. */
  feedsFor: (hosts: readonly NamingHosts[]) => { feeds: WatchedFeed[]; named: NamedFeed[] };
  /** Names of feeds whose addresses hosts tell. */
  leftToHosts: readonly string[];
  /** Take away what lies here of suites that no host names any more. */
  forgetOthers: (named: readonly NamedFeed[]) => Promise<void>;
  close: () => Promise<void>;
}

/**
 * Make the configured feeds ready; mirrors of those that are fetched lie below `directory`. Throws where one has no address,
 * or the certificates cannot be read.
 */
export const openFeeds = async (
  config: Configuration,
  directory: string,
): Promise<ConfiguredFeeds> => {
  const { proxy, ca } = config.fetch;
  const http = createHttpClient(
    {
      ...httpDefaults,
      proxy: proxy === undefined ? proxyFrom(processEnvironment()) : { url: proxy },
      ca: ca === undefined ? [] : [await readFile(ca, 'utf8')],
    },
    () => new Date(),
  );
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const feeds = config.feeds.flatMap((feed) => {
      if (isNamedByHosts(feed)) return [];
      if (feed.path !== undefined)
        return [localFeed(feed, feed.path, join(directory, `${nameOf(feed)}.keys`))];
      const places =
        feed.url === undefined
          ? addressesOf(feed, config)
          : [{ name: nameOf(feed), url: feed.url }];
      return places.map(({ name, url }) => {
        const address = addressWith(feed, url);
        return remoteFeed(feed, { name, address, directory: join(directory, name), http });
      });
    });
    return {
      feedsFor: (hosts) => {
        const named = namedFeeds(config.feeds, hosts);
        const fetched = named.filter(({ notFetched }) => notFetched === null);
        return {
          feeds: [...feeds, ...fetched.map((one) => namedFeed(one, directory, http))],
          named,
        };
      },
      leftToHosts: config.feeds.filter(isNamedByHosts).map(nameOf),
      forgetOthers: async (named) => {
        const kept = new Set(named.map(({ name }) => name));
        for (const name of await readdir(directory))
          if (name.includes('@') && !kept.has(name.replace(/\.stage.*$/, '')))
            await rm(join(directory, name), { recursive: true, force: true });
      },
      close: () => {
        http.close();
        return Promise.resolve();
      },
    };
  } catch (error) {
    http.close();
    throw error;
  }
};
