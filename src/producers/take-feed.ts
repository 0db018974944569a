import { createHash } from 'node:crypto';
import { setImmediate as breathe } from 'node:timers/promises';
import canonicalize from 'canonicalize';
import type { Advisory, FeedProblem, ParsedRecord } from '../core/advisories/advisory.ts';
import { errorText } from '../core/error-text.ts';
import { lostTooMuch } from '../core/advisories/feed-state.ts';
import { countAdvisories, keepAdvisories, presentAdvisories } from '../store/advisories.ts';
import type { HashedAdvisory } from '../store/advisories.ts';
import type { AdvisoryStage } from '../store/advisory-stage.ts';
import type { Store } from '../store/open-store.ts';
import { deleteFeedState } from '../store/feed-states.ts';
import { FeedError } from './advisories/feed-error.ts';

export interface TakeOptions {
  store: Store;
  /** Empty, and used for this alone. */
  stage: AdvisoryStage;
  /** The feed's own name, which its advisories are kept under. */
  feed: string;
  records: AsyncIterable<ParsedRecord>;
  /** What is not among the records was taken back. */
  complete: boolean;
  /** A person accepts that most of it is gone. */
  evenIfMostIsGone: boolean;
  wallNow: () => number;
  signal: AbortSignal;
}

export type Taken =
  | {
      kind: 'taken';
      records: number;
      changed: number;
      withdrawn: number;
      older: number;
      problemCount: number;
      problems: FeedProblem[];
    }
  /** Most of it is gone: nothing of it was taken. */
  | { kind: 'held'; had: number; has: number; problemCount: number; problems: FeedProblem[] };

/** SHA-256, in hex, over what an advisory says, in canonical JSON (RFC 8785). */
export const advisoryHash = (advisory: Advisory): string =>
  createHash('sha256')
    .update(canonicalize(advisory) ?? '')
    .digest('hex');

const keptProblems = 20;
const perTransaction = 200;
/** The coordinator shares this process: it is let at its work this often. */
const breatheEveryMs = 20;

const createPace = (): (() => Promise<void>) => {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < breatheEveryMs) return;
    await breathe();
    since = performance.now();
  };
};

/** Read all records to the stage; answers what could not be used, and whether some file could not be read at all. */
const readAll = async ({ stage, feed, records, signal }: TakeOptions) => {
  const pace = createPace();
  const problems: FeedProblem[] = [];
  let problemCount = 0;
  let wholeFilesMissing = false;
  const note = (problem: FeedProblem): void => {
    problemCount += 1;
    if (problems.length < keptProblems) problems.push(problem);
    // Without the record's name it may be any number of them.
    if (problem.record === '') wholeFilesMissing = true;
  };
  try {
    for await (const record of records) {
      signal.throwIfAborted();
      if (record.kind === 'problem') note(record.problem);
      else stage.add({ ...record.advisory, feed });
      await pace();
    }
  } catch (error) {
    if (!(error instanceof FeedError)) throw error;
    note({ file: error.file, record: '', field: '', reason: errorText(error.reason) });
  }
  return { problems, problemCount, wholeFilesMissing };
};

/** Those that the whole feed has no more, as withdrawn. */
const missing = async function* ({ store, feed, stage }: TakeOptions): AsyncGenerator<Advisory> {
  for await (const group of presentAdvisories(store.db, feed))
    for (const { advisory } of group)
      if (!stage.has(advisory.id)) yield { ...advisory, withdrawn: true };
};

/** A feed is not configured any more: nobody says what it said, so all of it counts as withdrawn. */
export const forgetFeed = async (store: Store, feed: string, nowMs: number): Promise<void> => {
  for await (const group of presentAdvisories(store.db, feed)) {
    const gone = group.map(({ advisory }) => ({ ...advisory, withdrawn: true }));
    const hashed = gone.map((advisory) => ({ advisory, hash: advisoryHash(advisory) }));
    await keepAdvisories(store.db, feed, hashed, nowMs);
  }
  await deleteFeedState(store.db, feed);
};

/**
 * Take over what one reading of a feed brought: new and changed advisories are kept (and so are published), equal ones leave
 * no trace, and what a whole feed has no more counts as withdrawn, unless some file of it could not be read. A feed that lost
 * most of its records is held: nothing of it is taken. May be broken off and repeated.
 */
export const takeFeed = async (options: TakeOptions): Promise<Taken> => {
  const { store, stage, feed, complete, evenIfMostIsGone, wallNow, signal } = options;
  const { problems, problemCount, wholeFilesMissing } = await readAll(options);
  const had = await countAdvisories(store.db, feed);
  const has = stage.count();
  if (complete && !evenIfMostIsGone && lostTooMuch(had, has))
    return { kind: 'held', had, has, problemCount, problems };
  const pace = createPace();
  const total = { changed: 0, older: 0 };
  let group: HashedAdvisory[] = [];
  const keep = async (): Promise<number> => {
    const kept = await keepAdvisories(store.db, feed, group, wallNow());
    group = [];
    total.changed += kept.changed;
    total.older += kept.older;
    return kept.changed;
  };
  const add = async (advisory: Advisory): Promise<number> => {
    signal.throwIfAborted();
    group.push({ advisory, hash: advisoryHash(advisory) });
    await pace();
    return group.length >= perTransaction ? keep() : 0;
  };
  for (const advisory of stage.all()) await add(advisory);
  await keep();
  let withdrawn = 0;
  if (complete && !wholeFilesMissing) {
    for await (const advisory of missing(options)) withdrawn += await add(advisory);
    withdrawn += await keep();
  }
  const records = await countAdvisories(store.db, feed);
  return { kind: 'taken', records, ...total, withdrawn, problemCount, problems };
};
