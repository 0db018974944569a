import { createHash } from 'node:crypto';
import type { ConfiguredFeed } from '../config/schema.ts';
import type { ParsedRecord } from '../core/advisories/advisory.ts';
import { platformOf } from '../core/advisories/index-inventory.ts';
import { mayBeFetched, namedSuites } from '../core/advisories/named-suites.ts';
import type { NamedSuite, NamingHosts } from '../core/advisories/named-suites.ts';
import { isRelease } from '../core/advisories/release-of.ts';
import { problem } from '../producers/advisories/parsed-record.ts';

/** A suite that hosts name, and the feed that it becomes. */
export interface NamedFeed {
  name: string;
  feed: ConfiguredFeed;
  suite: NamedSuite;
  /** What tells it from another one, for people too. */
  place: string;
  namedBy: string;
  /** Why it is not fetched; null: it is. */
  notFetched: string | null;
}

/** More of them are not fetched, and not even shown. */
const most = { fetched: 50, shown: 100 };

/** Whether a feed has its addresses from the hosts. */
export const isNamedByHosts = ({ source, url, path }: ConfiguredFeed): boolean =>
  source === 'apt-security' && url === undefined && path === undefined;

/** With `@`, which no configured feed has in its name: no host can take one's place. */
export const nameOfSuite = ({ url, suite }: Pick<NamedSuite, 'url' | 'suite'>): string => {
  const server = new URL(url).hostname.replace(/[^a-z0-9.-]/g, '').slice(0, 60);
  const sum = createHash('sha256').update(`${url} ${suite}`).digest('hex').slice(0, 6);
  return `${suite.replaceAll('/', '_').slice(0, 40)}@${server}-${sum}`;
};

const withLimits = (feed: ConfiguredFeed, suite: NamedSuite): NamedSuite => ({
  ...suite,
  components: feed.components ?? suite.components,
  architectures: feed.architectures ?? suite.architectures,
});

/** What hosts name, for the feeds that are left to them; each suite for the first of these that it fits. */
export const namedFeeds = (
  feeds: readonly ConfiguredFeed[],
  hosts: readonly NamingHosts[],
): NamedFeed[] => {
  const found = new Map<string, NamedFeed>();
  let fetched = 0;
  for (const feed of feeds.filter(isNamedByHosts))
    for (const one of namedSuites(hosts, feed)) {
      const name = nameOfSuite(one);
      if (found.has(name) || found.size >= most.shown) continue;
      const suite = withLimits(feed, one);
      const { url, components, architectures, platforms } = suite;
      const place = `${url} ${suite.suite} ${components.join(' ')} [${architectures.join(' ')}] for ${platforms.join(' ')}`;
      const more = suite.hosts === 1 ? '' : ` and ${suite.hosts - 1} more`;
      const namedBy = `named by ${suite.host}${more}`;
      const isAllowed = mayBeFetched(url, feed.mirrors);
      if (isAllowed) fetched += 1;
      const notFetched = isAllowed
        ? fetched <= most.fetched
          ? null
          : `${most.fetched} suites that hosts name are fetched already`
        : `if that is right, add ${url} to \`mirrors\` of the feed in the configuration`;
      found.set(name, { ...{ name, feed, suite, place, namedBy, notFetched } });
    }
  return [...found.values()];
};

/** Only what is for platforms of hosts that name the suite: none is told by hosts of others where its packages come from. */
export const onlyForThose = async function* (
  records: AsyncIterable<ParsedRecord>,
  { platforms, suite }: Pick<NamedSuite, 'platforms' | 'suite'>,
): AsyncGenerator<ParsedRecord> {
  const places = platforms.flatMap((platform) => platformOf(platform) ?? []);
  const others = new Set<string>();
  for await (const record of records) {
    if (record.kind === 'problem') {
      yield record;
      continue;
    }
    const affected = record.advisory.affected.filter(({ distro, release }) => {
      const isTheirs = places.some(
        (place) => place.distro === distro && isRelease(release, place.release),
      );
      if (!isTheirs) others.add(`${distro}-${release}`);
      return isTheirs;
    });
    if (affected.length > 0) yield { kind: 'advisory', advisory: { ...record.advisory, affected } };
  }
  for (const other of others)
    yield problem(
      'InRelease',
      suite,
      '',
      `it is for ${other}, and only hosts of ${platforms.join(' and ')} name it`,
    );
};
