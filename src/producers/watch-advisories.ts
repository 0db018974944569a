import { join } from 'node:path';
import type { FeedProblem, ParsedRecord } from '../core/advisories/advisory.ts';
import { newFeedState, nextPollAfter, silentSince } from '../core/advisories/feed-state.ts';
import type { FeedState } from '../core/advisories/feed-state.ts';
import { errorText } from '../core/error-text.ts';
import { repeat } from '../jobs/repeat.ts';
import type { Repeated } from '../jobs/repeat.ts';
import { openAdvisoryStage } from '../store/advisory-stage.ts';
import { loadFeedStates, saveFeedState } from '../store/feed-states.ts';
import type { Store } from '../store/open-store.ts';
import { afterTaking, atItsSource, heldAtSource, retryAfterOf, withRefused } from './feed-after.ts';
import { forgetFeed, takeFeed } from './take-feed.ts';

/** What a fetch brought: names of files, below where the feed is kept. */
export interface FetchedFeed {
  version: string;
  since: string | null;
  changed: string[] | 'all';
  complete: boolean;
  problems: FeedProblem[];
  /** Why it could not go on, after part of it had come; null: it is done. */
  stopped: (Error & { retryAfterMs: number | null }) | null;
}

/** One configured feed. */
export interface WatchedFeed {
  name: string;
  source: string;
  /** Where it comes from, for people. */
  place: string;
  everyMs: number;
  /** Without success for longer than this it is silent, and people are told. */
  silentAfterMs: number;
  /**
   * Bring the feed here, or find it as it is; cheap where nothing changed. `evenIfMostIsGone`: a person accepts what was
   * held back. Throws with why it could not be.
   */
  fetch: (signal: AbortSignal, evenIfMostIsGone: boolean) => Promise<FetchedFeed>;
  /** The advisories in all of its files, or in those named. */
  read: (files: 'all' | readonly string[]) => AsyncIterable<ParsedRecord>;
}

export interface WatchOptions {
  store: Store;
  feeds: readonly WatchedFeed[];
  /** For scratch files. */
  directory: string;
  wallNow: () => number;
  random: () => number;
  /** Something was published: there is work for the relay. */
  onChange: () => void;
  /** A feed is silent, or is held. Told once for each time that it begins. */
  alert: (text: string) => void;
  onError: (error: unknown, what: string) => void;
}

export interface AdvisoryWatch {
  /** How each configured feed stands, in the order of the configuration. */
  states: () => FeedState[];
  /** Ask a feed now; false: there is none of that name. */
  poll: (name: string) => boolean;
  /** Take what a feed holds back as it is. Answers why not, or null. */
  accept: (name: string) => Promise<string | null>;
  /** Watch these from now on: others are forgotten as if they were no more configured, what is the same goes on. */
  follow: (feeds: readonly WatchedFeed[]) => Promise<void>;
  stop: () => Promise<void>;
}

const lookEveryMs = 1_000;

interface Polled {
  feed: WatchedFeed;
  /** Ends what is under way for this feed alone. */
  ending: AbortController;
}

interface Watched extends Polled {
  looking: Repeated;
}

/**
 * Poll the configured feeds, each in its own time, and keep what is new of them. How each stands is
 * saved, so a restart polls nothing before its time and publishes nothing twice.
 */
export const watchAdvisories = async (options: WatchOptions): Promise<AdvisoryWatch> => {
  const { store, wallNow } = options;
  const states = await loadFeedStates(store.db);
  const watched = new Map<string, Watched>();
  let order: readonly string[] = [];
  const told = new Set<string>();
  /** To be polled before their time. */
  const asked = new Set<string>();

  const tellOnce = (key: string, isSo: boolean, text: string): void => {
    if (!isSo) told.delete(key);
    else if (!told.has(key)) {
      told.add(key);
      options.alert(text);
    }
  };

  /** One thing at a time, so that no two feeds stand in memory; fetching takes as long as it takes. */
  let taking: Promise<unknown> = Promise.resolve();
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const turn = taking.then(work);
    taking = turn.catch(() => undefined);
    return turn;
  };

  /** Take over what came, if it is other than what is known. */
  const takeContent = async (
    feed: WatchedFeed,
    { state, seen }: { state: FeedState; seen: FeedState },
    fetched: FetchedFeed,
    signal: AbortSignal,
  ): Promise<FeedState> => {
    const now = wallNow();
    const { error } = seen;
    if (fetched.version === state.version) return { ...seen, held: null };
    const held = state.held?.version === fetched.version && state.accepted !== fetched.version;
    if (held) return { ...seen, error: state.error };
    const isPart = fetched.changed !== 'all' && fetched.since === state.version;
    const read = isPart ? fetched.changed : 'all';
    const stage = await openAdvisoryStage(join(options.directory, `${feed.name}.stage`));
    try {
      const taken = await takeFeed({
        ...{ store, stage, feed: feed.name, wallNow, signal },
        records: feed.read(read),
        complete: fetched.complete && read === 'all',
        evenIfMostIsGone:
          state.accepted === fetched.version ||
          (state.held?.version === atItsSource && state.accepted === atItsSource),
      });
      const after = afterTaking(seen, { version: fetched.version, read }, taken, now);
      if (taken.kind === 'taken' && taken.changed > 0) options.onChange();
      return { ...after, error: [after.error, error].filter(Boolean).join('; ') || null };
    } finally {
      await stage.close();
    }
  };

  const take = async (
    feed: WatchedFeed,
    state: FeedState,
    fetched: FetchedFeed,
    signal: AbortSignal,
  ): Promise<FeedState> => {
    const { version, problems } = fetched;
    // A record of many that does not come is no failure of all.
    const refused = problems.filter(({ record }) => record !== '');
    const said = problems
      .filter(({ record }) => record === '')
      .map(({ file, reason }) => `${file}: ${reason}`);
    const error = said.length === 0 ? null : said.join('; ');
    const succeeded = error === null ? { lastSuccess: wallNow() } : {};
    const seen = { ...withRefused(state, []), ...succeeded, error };
    const after = await takeContent(feed, { state, seen }, fetched, signal);
    const isNews = refused.length > 0 || version !== state.version;
    const known = state.problems.filter((problem) => problem.refused === true);
    const told = withRefused(after, isNews ? refused : known);
    // What else of it came is good.
    const lost = problems.find((problem) => problem.lost !== undefined)?.lost;
    return lost === undefined ? told : heldAtSource({ ...told, held: state.held }, lost, wallNow());
  };

  const pollOne = async ({ feed, ending }: Polled, before: FeedState): Promise<void> => {
    const { signal } = ending;
    const began = wallNow();
    const { everyMs } = feed;
    let after: FeedState;
    let retryAfterMs: number | null;
    try {
      const isAccepted = before.held !== null && before.accepted === before.held.version;
      const fetched = await feed.fetch(signal, isAccepted);
      const taken = await inTurn(() => take(feed, before, fetched, signal));
      const { stopped } = fetched;
      retryAfterMs = stopped?.retryAfterMs ?? null;
      after =
        stopped === null
          ? { ...taken, failures: 0 }
          : { ...taken, error: stopped.message, failures: before.failures + 1 };
    } catch (error) {
      if (signal.aborted) return;
      retryAfterMs = retryAfterOf(error);
      after = { ...before, error: errorText(error), failures: before.failures + 1 };
    }
    // Whoever ended it has said what is to become of it.
    if (signal.aborted) return;
    const { failures } = after;
    const when = { everyMs, failures, retryAfterMs, random: options.random() };
    // What a person accepted meanwhile is not lost.
    const accepted = states.get(feed.name)?.accepted ?? null;
    after = {
      ...after,
      lastAttempt: began,
      nextPoll: nextPollAfter(wallNow(), when),
      accepted: after.held === null ? null : accepted,
    };
    states.set(feed.name, after);
    await saveFeedState(store.db, after);
    tellOnce(`held ${feed.name}`, after.held !== null, `feed ${feed.name} is ${after.error ?? ''}`);
  };

  const lookAt = async (one: Polled): Promise<void> => {
    const { feed, ending } = one;
    const state = states.get(feed.name);
    if (state === undefined || ending.signal.aborted) return;
    if (asked.delete(feed.name) || state.nextPoll <= wallNow()) await pollOne(one, state);
    const newest = states.get(feed.name) ?? state;
    const since = silentSince(newest, wallNow(), feed.silentAfterMs);
    const why = newest.error === null ? '' : `: ${newest.error}`;
    tellOnce(
      `silent ${feed.name}`,
      since !== null,
      `feed ${feed.name} has been silent since ${new Date(since ?? 0).toISOString()}${why}`,
    );
  };

  /** Each in its own time: a server that is slow keeps no other feed waiting. */
  const begin = (feed: WatchedFeed): void => {
    const { name, source, place } = feed;
    const before = states.get(name) ?? newFeedState({ name, source, place }, wallNow());
    // Read from somewhere else by now: what it had stays until that has answered.
    const same = before.source === source && before.place === place;
    const anew = same ? {} : { version: null, nextPoll: wallNow() };
    states.set(name, { ...before, source, place, ...anew });
    const one: Polled = { feed, ending: new AbortController() };
    const looking = repeat(() => lookAt(one), {
      everyMs: lookEveryMs,
      onError: (error) => {
        options.onError(error, `feed ${name}`);
      },
    });
    watched.set(name, { ...one, looking });
  };
  const end = async ({ feed, looking, ending }: Watched): Promise<void> => {
    ending.abort();
    watched.delete(feed.name);
    await looking.stop();
  };

  const follow = async (feeds: readonly WatchedFeed[]): Promise<void> => {
    const wanted = new Map(feeds.map((feed) => [feed.name, feed]));
    order = [...wanted.keys()];
    for (const one of watched.values())
      if (wanted.get(one.feed.name)?.place !== one.feed.place) await end(one);
    for (const name of states.keys())
      if (!wanted.has(name)) {
        states.delete(name);
        for (const key of [`held ${name}`, `silent ${name}`]) told.delete(key);
        await inTurn(() => forgetFeed(store, name, wallNow()));
        options.onChange();
      }
    for (const feed of wanted.values()) if (!watched.has(feed.name)) begin(feed);
  };
  let following = follow(options.feeds);
  await following;

  return {
    states: () => order.flatMap((name) => states.get(name) ?? []),
    poll: (name) => {
      if (!states.has(name)) return false;
      asked.add(name);
      watched.get(name)?.looking.wake();
      return true;
    },
    accept: async (name) => {
      const state = states.get(name);
      if (state === undefined) return `there is no feed ${name}`;
      if (state.held === null) return `feed ${name} holds nothing back`;
      const accepted = { ...state, accepted: state.held.version };
      states.set(name, accepted);
      await saveFeedState(store.db, accepted);
      asked.add(name);
      watched.get(name)?.looking.wake();
      return null;
    },
    follow: async (feeds) => {
      following = following.catch(() => undefined).then(() => follow(feeds));
      await following;
    },
    stop: async () => {
      await following.catch(() => undefined);
      await Promise.all([...watched.values()].map(end));
    },
  };
};
