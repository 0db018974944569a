import type { Advisory, FeedProblem } from '../../../core/advisories/advisory.ts';
import type { HostFindings } from '../../../core/advisories/host-findings.ts';
import type { IndexedInventory } from '../../../core/advisories/index-inventory.ts';
import { isOffered } from '../../../core/advisories/is-offered.ts';
import { matchAdvisory } from '../../../core/advisories/match.ts';
import { isRelease } from '../../../core/advisories/release-of.ts';
import { errorText } from '../../../core/error-text.ts';
import { FeedError } from '../../../producers/advisories/feed-error.ts';
import type { AdvisorySource, FeedFile } from '../../../producers/advisories/feed-file.ts';
import type { FetchedOnce } from '../../../producers/advisories/fetch/fetch-once.ts';
import { FetchError } from '../../../producers/advisories/fetch/fetch-error.ts';
import { problemText } from '../../problem-text.ts';

export interface NamedFeed {
  source: AdvisorySource;
  path: string;
}

export interface FeedReaders {
  /** The files of a feed at a path. */
  open: (path: string) => AsyncIterable<FeedFile>;
  /** Fetches a feed, for this once; null: it is not at an address. Throws where it does not come as a whole. */
  fetch: (feed: NamedFeed) => Promise<FetchedOnce | null>;
}

/** What was read of all feeds. */
export interface FeedsRead {
  advisories: number;
  /** Those that say anything of the platform. */
  concerning: number;
  /** Those that would count if the host had these channels, which it has not. */
  beyond: { advisories: number; channels: Set<string> };
  problems: FeedProblem[];
  /** Why nothing came of a feed. */
  failures: string[];
  /** Feeds that say that there is nothing. */
  empty: string[];
}

/** Whether an advisory says anything of the release of a host. */
const isAbout = ({ affected }: Advisory, { distro, release }: IndexedInventory): boolean =>
  affected.some(
    (row) =>
      row.distro === distro && (isRelease(row.release, release) || isRelease(release, row.release)),
  );

/** The channels that a host would need for what an advisory has for its packages; none where it has what it needs. */
const channelsLacked = (advisory: Advisory, host: IndexedInventory): string[] => {
  if (advisory.affected.some((row) => isOffered(row, host))) return [];
  const lacked = new Set(
    advisory.affected
      .filter((row) => row.channel !== null && isOffered({ ...row, channel: null }, host))
      .flatMap(({ channel }) => channel ?? []),
  );
  return [...lacked].filter((channel) =>
    matchAdvisory(advisory, { ...host, channels: new Set([...host.channels, channel]) }).some(
      ({ state }) => state !== 'applied',
    ),
  );
};

/** Reads each feed into the findings of a host. One of which nothing can be read does not keep the others from being read. */
export const readFeeds = async (
  feeds: readonly NamedFeed[],
  host: IndexedInventory,
  found: HostFindings,
  { open, fetch }: FeedReaders,
): Promise<FeedsRead> => {
  const beyond = { advisories: 0, channels: new Set<string>() };
  const read: FeedsRead = {
    ...{ advisories: 0, concerning: 0, beyond, problems: [], failures: [], empty: [] },
  };
  const take = (advisory: Advisory): void => {
    read.advisories += 1;
    if (isAbout(advisory, host)) read.concerning += 1;
    const lacked = channelsLacked(advisory, host);
    if (lacked.length > 0) beyond.advisories += 1;
    for (const channel of lacked) beyond.channels.add(channel);
    found.take(advisory);
  };
  for (const feed of feeds) {
    const [before, first] = [read.advisories, read.problems.length];
    let fetched: FetchedOnce | null = null;
    try {
      fetched = await fetch(feed);
      read.problems.push(...(fetched?.problems ?? []));
      for await (const record of feed.source.parse(open(fetched?.directory ?? feed.path)))
        if (record.kind === 'problem') read.problems.push(record.problem);
        else take(record.advisory);
    } catch (error) {
      if (error instanceof FetchError) {
        read.failures.push(errorText(error));
        continue;
      }
      // A damaged archive: what could be read of it before counts all the same.
      if (!(error instanceof FeedError)) throw error;
      const { file, reason } = error;
      read.problems.push({ file, record: '', field: '', reason });
    } finally {
      await fetched?.remove();
    }
    if (read.advisories > before) continue;
    // An empty feed says that there is nothing; one that cannot be read says nothing.
    const nothing = `no advisory was found in ${feed.path}`;
    if (read.problems.length === first) read.empty.push(nothing);
    else read.failures.push(`${nothing}: ${problemText(read.problems[first])}`);
  }
  return read;
};
