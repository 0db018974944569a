import { join } from 'node:path';
import type { FeedProblem, ParsedRecord } from '../core/advisories/advisory.ts';
import { newFeedState, nextPollAfter, silentSince } from '../core/advisories/feed-state.ts';
import type { FeedState } from '../core/advisories/feed-state.ts';
import { errorText } from '../core/error-text.ts';
import { repeat } from '../jobs/repeat.ts';
import { openAdvisoryStage } from '../store/advisory-stage.ts';
import { loadFeedStates, saveFeedState } from '../store/feed-states.ts';
import type { Store } from '../store/open-store.ts';
import { forgetFeed, takeFeed } from './take-feed.ts';
import type { Taken } from './take-feed.ts';

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
  stop: () => Promise<void>;
}

const lookEveryMs = 1_000;

/** How long the server asked to be left alone, where an error tells. */
const retryAfterOf = (error: unknown): number | null =>
  typeof error === 'object' &&
  error !== null &&
  'retryAfterMs' in error &&
  typeof error.retryAfterMs === 'number'
    ? error.retryAfterMs
    : null;

const heldText = (name: string, { had, has }: { had: number; has: number }): string =>
  `held back: it had ${had} advisories, and now has ${has}; if that is right: groundswell feeds accept ${name}`;

/** In place of a version. */
const atItsSource = 'at its source';

/** It was not even brought here: the mirror has what it had. */
const heldAtSource = (
  state: FeedState,
  lost: { had: number; has: number },
  now: number,
): FeedState => {
  const since = state.held?.version === atItsSource ? state.held.since : now;
  const held = { version: atItsSource, ...lost, since };
  return { ...state, error: heldText(state.name, lost), held };
};

const afterTaking = (state: FeedState, version: string, taken: Taken, now: number): FeedState => {
  const { problemCount, problems } = taken;
  if (taken.kind === 'held') {
    const { had, has } = taken;
    const since = state.held?.version === version ? state.held.since : now;
    const error = heldText(state.name, { had, has });
    return { ...state, error, problemCount, problems, held: { version, had, has, since } };
  }
  const { records, changed, withdrawn, older } = taken;
  return {
    ...state,
    ...{ records, problemCount, problems, version, held: null, accepted: null, error: null },
    ...(changed + older === 0 ? {} : { changed: changed - withdrawn, withdrawn, older }),
    lastChange: changed > 0 ? now : state.lastChange,
  };
};

/**
 * Poll the configured feeds, each in its own time, and keep what is new of them. How each stands is
 * saved, so a restart polls nothing before its time and publishes nothing twice.
 */
export const watchAdvisories = async (options: WatchOptions): Promise<AdvisoryWatch> => {
  const { store, feeds, wallNow } = options;
  const known = await loadFeedStates(store.db);
  const states = new Map<string, FeedState>();
  for (const { name, source, place } of feeds) {
    const before = known.get(name);
    const fresh = newFeedState({ name, source, place }, wallNow());
    // Read from somewhere else by now: what it had stays until that has answered.
    const same = before?.source === source && before.place === place;
    states.set(
      name,
      before === undefined
        ? fresh
        : { ...before, source, place, ...(same ? {} : { version: null, nextPoll: wallNow() }) },
    );
  }
  for (const name of known.keys()) if (!states.has(name)) await forgetFeed(store, name, wallNow());
  const stopping = new AbortController();
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

  const take = async (
    feed: WatchedFeed,
    state: FeedState,
    fetched: FetchedFeed,
  ): Promise<FeedState> => {
    const now = wallNow();
    const said = fetched.problems.map(({ file, reason }) => `${file}: ${reason}`).join('; ');
    const error = said === '' ? null : said;
    const seen = { ...state, ...(error === null ? { lastSuccess: now } : {}), error };
    const lost = fetched.problems.find((problem) => problem.lost !== undefined)?.lost;
    if (lost !== undefined) return heldAtSource(seen, lost, now);
    if (fetched.version === state.version) return { ...seen, held: null, error };
    const held = state.held?.version === fetched.version && state.accepted !== fetched.version;
    if (held) return { ...seen, error: state.error };
    const partly = fetched.changed !== 'all' && fetched.since === state.version;
    const stage = await openAdvisoryStage(join(options.directory, `${feed.name}.stage`));
    try {
      const taken = await takeFeed({
        ...{ store, stage, feed: feed.name, wallNow, signal: stopping.signal },
        records: feed.read(partly ? fetched.changed : 'all'),
        complete: fetched.complete && !partly,
        evenIfMostIsGone:
          state.accepted === fetched.version ||
          (state.held?.version === atItsSource && state.accepted === atItsSource),
      });
      const after = afterTaking(seen, fetched.version, taken, now);
      if (taken.kind === 'taken' && taken.changed > 0) options.onChange();
      return { ...after, error: [after.error, error].filter(Boolean).join('; ') || null };
    } finally {
      await stage.close();
    }
  };

  const pollOne = async (feed: WatchedFeed, before: FeedState): Promise<void> => {
    const began = wallNow();
    const { everyMs } = feed;
    let after: FeedState;
    let retryAfterMs: number | null;
    try {
      const isAccepted = before.held !== null && before.accepted === before.held.version;
      const fetched = await feed.fetch(stopping.signal, isAccepted);
      const taken = await inTurn(() => take(feed, before, fetched));
      const { stopped } = fetched;
      retryAfterMs = stopped?.retryAfterMs ?? null;
      after =
        stopped === null
          ? { ...taken, failures: 0 }
          : { ...taken, error: stopped.message, failures: before.failures + 1 };
    } catch (error) {
      if (stopping.signal.aborted) return;
      retryAfterMs = retryAfterOf(error);
      after = { ...before, error: errorText(error), failures: before.failures + 1 };
    }
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

  const lookAt = async (feed: WatchedFeed): Promise<void> => {
    const state = states.get(feed.name);
    if (state === undefined || stopping.signal.aborted) return;
    if (asked.delete(feed.name) || state.nextPoll <= wallNow()) await pollOne(feed, state);
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
  const looking = new Map(
    feeds.map((feed) => [
      feed.name,
      repeat(() => lookAt(feed), {
        everyMs: lookEveryMs,
        onError: (error) => {
          options.onError(error, `feed ${feed.name}`);
        },
      }),
    ]),
  );

  return {
    states: () => feeds.flatMap(({ name }) => states.get(name) ?? []),
    poll: (name) => {
      if (!states.has(name)) return false;
      asked.add(name);
      looking.get(name)?.wake();
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
      looking.get(name)?.wake();
      return null;
    },
    stop: async () => {
      stopping.abort();
      await Promise.all([...looking.values()].map(({ stop }) => stop()));
    },
  };
};
