import type { FeedView } from '../core/advisories/advisory-views.ts';
import { newFeedState, silentSince } from '../core/advisories/feed-state.ts';
import { repeat } from '../jobs/repeat.ts';
import { watchAdvisories } from '../producers/watch-advisories.ts';
import type { AdvisoryWatch } from '../producers/watch-advisories.ts';
import { namingHosts } from '../store/inventories.ts';
import type { Store } from '../store/open-store.ts';
import type { ConfiguredFeeds } from './feeds.ts';
import type { NamedFeed } from './named-feeds.ts';

export interface FeedsWatchOptions {
  store: Store;
  configured: ConfiguredFeeds;
  directory: string;
  onChange: () => void;
  alert: (text: string) => void;
  onError: (error: unknown, what: string) => void;
}

export interface FeedsWatch extends Pick<AdvisoryWatch, 'states' | 'poll' | 'accept'> {
  /** Every feed as operators see it, and those that are not fetched. */
  views: () => FeedView[];
  /** Hosts have reported what their sources name, or were removed. */
  hostsChanged: () => void;
  stop: () => Promise<void>;
}

/** What hosts name changes seldom, and each report asks at once. */
const lookEveryMs = 600_000;

const unnamed = (name: string): FeedView => ({
  ...newFeedState({ name, source: 'apt-security', place: '' }, 0),
  ...{ silent: false, namedBy: null },
  notFetched: 'no host has named a suite of security updates yet',
});

const unfetched = ({ name, place, namedBy, notFetched }: NamedFeed): FeedView => ({
  ...newFeedState({ name, source: 'apt-security', place }, 0),
  ...{ silent: false, namedBy, notFetched },
});

/** Watch the configured feeds, and the suites that hosts' own sources name where the configuration leaves that to them. */
export const watchFeeds = async (options: FeedsWatchOptions): Promise<FeedsWatch> => {
  const { store, configured, directory } = options;
  const { leftToHosts } = configured;
  const isLeft = leftToHosts.length > 0;
  let present = configured.feedsFor(isLeft ? await namingHosts(store.db) : []);
  const watch = await watchAdvisories({
    ...{ store, directory, feeds: present.feeds, wallNow: Date.now, random: Math.random },
    ...{ onChange: options.onChange, alert: options.alert, onError: options.onError },
  });
  let told = 0;
  const follow = async (): Promise<void> => {
    present = configured.feedsFor(await namingHosts(store.db));
    await watch.follow(present.feeds);
    await configured.forgetOthers(present.named);
    const left = present.named.filter(({ notFetched }) => notFetched !== null).length;
    if (left > told)
      options.alert(
        `${left} ${left === 1 ? 'suite' : 'suites'} of security updates that hosts name ${left === 1 ? 'is' : 'are'} not fetched; see: groundswell feeds`,
      );
    told = left;
  };
  const following = isLeft
    ? repeat(follow, {
        everyMs: lookEveryMs,
        onError: (error) => {
          options.onError(error, 'suites that hosts name');
        },
      })
    : null;
  return {
    states: watch.states,
    poll: watch.poll,
    accept: watch.accept,
    views: () => {
      const named = new Map(present.named.map((one) => [one.name, one]));
      const silentAfter = new Map(
        present.feeds.map(({ name, silentAfterMs }) => [name, silentAfterMs]),
      );
      return [
        ...watch.states().map(({ problemFiles: _, ...state }) => ({
          ...state,
          silent: silentSince(state, Date.now(), silentAfter.get(state.name) ?? Infinity) !== null,
          namedBy: named.get(state.name)?.namedBy ?? null,
          notFetched: null,
        })),
        ...present.named.filter(({ notFetched }) => notFetched !== null).map(unfetched),
        ...(present.named.length === 0 ? leftToHosts.map(unnamed) : []),
      ];
    },
    hostsChanged: () => {
      following?.wake();
    },
    stop: async () => {
      await following?.stop();
      await watch.stop();
    },
  };
};
