import { z } from 'zod';
import { errorText } from '../../../core/error-text.ts';
import type { FeedFile } from '../feed-file.ts';
import { openFeedFiles } from '../open-feed-files.ts';
import { FetchError } from './fetch-error.ts';
import type { FeedAddress, FetchContext, Fetcher } from './fetcher.ts';
import type { Mirror } from './mirror.ts';
import { mirrored } from './mirror.ts';

/** A file of a feed that is fetched as a whole. */
export interface PlainFile {
  url: string;
  /** Below the feed's directory. */
  name: string;
}

/** What is in a file, as far as it tells an old or emptied one from a good one. */
export interface Inspection {
  records: number;
  /** Of the newest record, as text in the order of time; null: nothing tells. */
  newest: string | null;
}

/** Looks through what came. Throws where it is not what it should be. */
export type Inspect = (files: AsyncIterable<FeedFile>) => Promise<Inspection>;

const Known = z.object({
  etag: z.string().nullable(),
  lastModified: z.string().nullable(),
  records: z.number(),
  newest: z.string().nullable(),
});
type Known = z.infer<typeof Known>;
const State = z.record(z.string(), Known);
type State = z.infer<typeof State>;

/** Several times what the largest has, Debian's tracker in one file. */
const MOST_BYTES = 2 * 1024 ** 3;
/** Fewer than this may well become half of it. */
const FEW_RECORDS = 20;

const timeOf = (text: string | null): number => (text === null ? NaN : Date.parse(text));

/** Why a file is not to be taken in the place of the one that is there; null: it is. */
export const objection = (fresh: Known, known: Known | null, now: Date): string | null => {
  if (fresh.records === 0) return 'there is no record in it';
  if (known === null) return null;
  const [offered, had] = [timeOf(fresh.lastModified), timeOf(known.lastModified)];
  const older = (is: string, was: string): string =>
    `the mirror offers an older state (${is}) than the one that is here (${was})`;
  if (offered < had) return older(fresh.lastModified ?? '', known.lastModified ?? '');
  const isDated = !Number.isNaN(offered) && !Number.isNaN(had);
  // A date of the future is a slip of the pen that will be mended.
  const newest = (known.newest ?? '') > now.toISOString() ? null : known.newest;
  if (!isDated && newest !== null && fresh.newest !== null && fresh.newest < newest)
    return older(fresh.newest, newest);
  return known.records >= FEW_RECORDS && fresh.records < known.records / 2
    ? `it has only ${fresh.records} of ${known.records} records any more, and is held back`
    : null;
};

const fetchOne = async (
  { url, name }: PlainFile,
  known: Known | null,
  inspect: Inspect,
  mirror: Mirror<State>,
  { http, signal, now }: FetchContext,
): Promise<Known | null> => {
  const had = known !== null && (await mirror.has(name)) ? known : null;
  const to = mirror.incoming(name);
  const came = await http.download(
    { url, to, maxBytes: MOST_BYTES, mayBePacked: true, ...(had === null ? {} : { unless: had }) },
    signal,
  );
  if (!came.changed) return had;
  const refuse = (reason: string): Known => {
    if (had === null) throw new FetchError(url, reason);
    mirror.refuse({ file: name, reason });
    return had;
  };
  let fresh: Known;
  try {
    fresh = { ...came.validators, ...(await inspect(openFeedFiles(to))) };
  } catch (error) {
    return refuse(`what came is damaged: ${errorText(error)}`);
  }
  const reason = objection(fresh, had, now());
  if (reason !== null) return refuse(reason);
  await mirror.put(to, name);
  return fresh;
};

/** A fetcher of a feed that is one file or some, each fetched as a whole when it has changed. */
export const plainFiles = (
  filesOf: (address: FeedAddress) => readonly PlainFile[],
  inspect: Inspect,
): Fetcher =>
  mirrored(State, async (mirror, context) => {
    const files = filesOf(context.address);
    const state: State = { ...mirror.state };
    for (const file of files) {
      const known = await fetchOne(file, state[file.name] ?? null, inspect, mirror, context);
      if (known !== null) state[file.name] = known;
      await mirror.save(state);
    }
    await mirror.removeOthers(new Set(files.map(({ name }) => name)));
    return { state, complete: true };
  });
