import { createHash } from 'node:crypto';
import { setImmediate as breathe } from 'node:timers/promises';
import canonicalize from 'canonicalize';
import type {
  Advisory,
  AffectedRow,
  FeedProblem,
  ParsedRecord,
} from '../core/advisories/advisory.ts';
import { combineParts } from '../core/advisories/combine-parts.ts';
import { errorText } from '../core/error-text.ts';
import { lostTooMuch } from '../core/advisories/feed-state.ts';
import {
  countAdvisories,
  keepAdvisories,
  presentAdvisories,
  presentAdvisory,
} from '../store/advisories.ts';
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
      problemFiles: Record<string, number>;
    }
  /** Most of it is gone: nothing of it was taken. */
  | ({ kind: 'held'; had: number; has: number } & Pick<Damage, 'problemCount' | 'problems'>);

/** SHA-256, in hex, over what an advisory says, in canonical JSON (RFC 8785); not over when it was said. */
export const advisoryHash = ({ published: _, modified: __, ...said }: Advisory): string => {
  const affected = said.affected.map(({ asOf: ___, ...row }) => row);
  return createHash('sha256')
    .update(canonicalize({ ...said, affected }) ?? '')
    .digest('hex');
};

const keptProblems = 20;
/** Of so many files it is kept how much of each could not be used. */
const keptFiles = 1_000;
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

/** Beyond so many it is no record that is damaged, but the feed. */
const mostDamaged = 10_000;

/** A record is called by its id, or by that and where it stands: `DSA-1-1 (line 3)`, `openssl CVE-2026-1`. */
const namesIn = (record: string): string[] => record.split(/[\s()]+/).filter(Boolean);

/** What of one reading could not be used. */
interface Damage {
  problems: FeedProblem[];
  problemCount: number;
  /** By the names of files. */
  files: Map<string, number>;
  /** Of each problem, what may be the id of its advisory; null: some of them tell nothing, or they are too many. */
  named: string[][] | null;
}

/** Read all records to the stage; answers what could not be used. */
const readAll = async ({ stage, feed, records, signal }: TakeOptions): Promise<Damage> => {
  const pace = createPace();
  const damage: Damage = { problems: [], problemCount: 0, files: new Map(), named: [] };
  const note = (problem: FeedProblem): void => {
    damage.problemCount += 1;
    if (damage.problems.length < keptProblems) damage.problems.push(problem);
    const inFile = damage.files.get(problem.file);
    if (inFile !== undefined || damage.files.size < keptFiles)
      damage.files.set(problem.file, (inFile ?? 0) + 1);
    const names = namesIn(problem.record);
    // Without the record's name it may be any number of them.
    if (names.length === 0 || damage.problemCount > mostDamaged) damage.named = null;
    damage.named?.push(names);
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
  return damage;
};

/**
 * Advisories of which something could not be read, by their ids, as they were known before: nothing of them counts as taken
 * back. `all`: no problem is about any other one.
 */
const damagedIn = async (
  { store, feed, stage }: TakeOptions,
  { named }: Damage,
): Promise<{ damaged: Map<string, Advisory>; all: boolean }> => {
  const damaged = new Map<string, Advisory>();
  let all = named !== null;
  for (const names of named ?? []) {
    let isKnown = false;
    for (const name of names) {
      const before = damaged.get(name) ?? (await presentAdvisory(store.db, feed, name));
      if (before !== null) damaged.set(name, before);
      isKnown ||= before !== null || stage.has(name);
    }
    all &&= isKnown;
  }
  return { damaged, all };
};

const rowKey = ({ distro, release, channel, names, name, arch, module }: AffectedRow): string =>
  [distro, release, channel, names, name, arch, module].join('\t');

/** What is left of a damaged record, with what it said before of everything that it says nothing of now. */
const withKnownRows = (advisory: Advisory, before: Advisory | undefined): Advisory => {
  if (before === undefined || advisory.withdrawn) return advisory;
  const said = new Set(advisory.affected.map(rowKey));
  const silent = before.affected.filter((row) => !said.has(rowKey(row)));
  return silent.length === 0
    ? advisory
    : combineParts([{ ...advisory, affected: silent }, advisory]);
};

/** Those that the whole feed has no more, as withdrawn, but for those that it may have and that could not be read. */
const missing = async function* (
  { store, feed, stage }: TakeOptions,
  damaged: ReadonlyMap<string, Advisory>,
): AsyncGenerator<Advisory> {
  for await (const group of presentAdvisories(store.db, feed))
    for (const { advisory } of group)
      if (!stage.has(advisory.id) && !damaged.has(advisory.id))
        yield { ...advisory, withdrawn: true };
};

/** A feed is not configured any more: nobody says what it said, so all of it counts as withdrawn. */
export const forgetFeed = async (store: Store, feed: string, nowMs: number): Promise<void> => {
  for await (const group of presentAdvisories(store.db, feed)) {
    const gone = group.map(({ advisory }) => ({ ...advisory, withdrawn: true }));
    const hashed = gone.map((advisory) => ({ advisory, hash: advisoryHash(advisory) }));
    await keepAdvisories(store.db, feed, hashed, nowMs, advisoryHash);
    await breathe();
  }
  await deleteFeedState(store.db, feed);
};

/**
 * Take over what one reading of a feed brought: new and changed advisories are kept (and so are published), equal ones leave
 * no trace, and what a whole feed has no more counts as withdrawn, unless it may be among what could not be read. A feed that
 * lost most of its records is held: nothing of it is taken. May be broken off and repeated.
 */
export const takeFeed = async (options: TakeOptions): Promise<Taken> => {
  const { store, stage, feed, complete, evenIfMostIsGone, wallNow, signal } = options;
  const damage = await readAll(options);
  const { problems, problemCount } = damage;
  const had = await countAdvisories(store.db, feed);
  const has = stage.count();
  if (complete && !evenIfMostIsGone && lostTooMuch(had, has))
    return { kind: 'held', had, has, problemCount, problems };
  const { damaged, all } = await damagedIn(options, damage);
  const pace = createPace();
  const total = { changed: 0, older: 0 };
  let group: HashedAdvisory[] = [];
  const keep = async (): Promise<number> => {
    const kept = await keepAdvisories(store.db, feed, group, wallNow(), advisoryHash);
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
  for (const advisory of stage.all()) await add(withKnownRows(advisory, damaged.get(advisory.id)));
  await keep();
  let withdrawn = 0;
  if (complete && all) {
    for await (const advisory of missing(options, damaged)) withdrawn += await add(advisory);
    withdrawn += await keep();
  }
  const records = await countAdvisories(store.db, feed);
  const problemFiles = Object.fromEntries(damage.files);
  return { kind: 'taken', records, ...total, withdrawn, problemCount, problems, problemFiles };
};
