import type { FeedProblem } from '../../../core/advisories/advisory.ts';
import type { FetchError } from './fetch-error.ts';
import type { HttpClient } from './http.ts';

/** Where a feed comes from. */
export interface FeedAddress {
  url: string;
  /** Of an archive of Debian packages: `bookworm-security`. Left out: the address tells it. */
  suite?: string;
  /** Left out: all that the suite has. */
  components?: string[];
  architectures?: string[];
  /** Whoever asked for these may be wrong: what the suite has not of them is no failure. */
  tolerant?: boolean;
  /** Files of keys of which one must have signed: binary, or armored. */
  keyring?: string[];
}

export interface FetchContext {
  /** Belongs to this feed alone, and exists. */
  directory: string;
  address: FeedAddress;
  http: HttpClient;
  now: () => Date;
  signal: AbortSignal;
  /** A person accepts that most of what the feed had is gone. */
  evenIfMostIsGone?: boolean;
  /** The directory is thrown away afterwards: what helps only the next time need not be done. */
  once?: boolean;
}

/** What a fetcher has made of the directory. */
export interface Fetched {
  /** Names the content of the directory: the same text while nothing changed. */
  version: string;
  /** The version that `changed` counts from; null: there was none. */
  since: string | null;
  /**
   * Names of the files below the directory that are new or others since then, as in `FeedFile.name`; all that lies in an
   * archive has changed with it. `all` where this is not known, where files are gone, and where they count only together.
   */
  changed: string[] | 'all';
  /** Whether the directory holds the whole feed: an advisory that is not in it any more was taken back. */
  complete: boolean;
  /** What was refused and is not in the directory: an older state, a wrong checksum. */
  problems: FeedProblem[];
  /** Why it could not go on, after part of it had come. What came is there, and the next time goes on from it. */
  stopped: FetchError | null;
}

/**
 * Makes the directory a mirror of the feed, for `openFeedFiles` and the source's `parse`, asking only for what is new since
 * the last time. Files come in whole or not at all, wherever it is ended. Throws a `FetchError` where nothing came.
 */
export type Fetcher = (context: FetchContext) => Promise<Fetched>;
