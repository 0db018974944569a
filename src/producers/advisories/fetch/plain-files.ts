import { z } from 'zod';
import { errorText } from '../../../core/error-text.ts';
import type { FeedFile } from '../feed-file.ts';
import { openFeedFiles } from '../open-feed-files.ts';
import { FetchError } from './fetch-error.ts';
import type { FeedAddress, FetchContext, Fetcher } from './fetcher.ts';
import type { Mirror } from './mirror.ts';
import { mirrored } from './mirror.ts';
import { Known, objection } from './objection.ts';
import type { Objection } from './objection.ts';

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

const State = z.record(z.string(), Known);
type State = z.infer<typeof State>;

/** Several times what the largest has, Debian's tracker in one file. */
const MOST_BYTES = 2 * 1024 ** 3;
const fetchOne = async (
  { url, name }: PlainFile,
  known: Known | null,
  inspect: Inspect,
  mirror: Mirror<State>,
  { http, signal, now, evenIfMostIsGone }: FetchContext,
): Promise<Known | null> => {
  const had = known !== null && (await mirror.has(name)) ? known : null;
  const to = mirror.incoming(name);
  const came = await http.download(
    { url, to, maxBytes: MOST_BYTES, mayBePacked: true, ...(had === null ? {} : { unless: had }) },
    signal,
  );
  if (!came.changed) return had;
  const refuse = ({ reason, ...more }: Objection): Known => {
    if (had === null) throw new FetchError(url, reason);
    mirror.refuse({ file: name, reason, ...more });
    return had;
  };
  let fresh: Known;
  try {
    fresh = { ...came.validators, ...(await inspect(openFeedFiles(to))) };
  } catch (error) {
    return refuse({ reason: `what came is damaged: ${errorText(error)}` });
  }
  const against = objection(fresh, had, now(), evenIfMostIsGone);
  if (against !== null) return refuse(against);
  await mirror.put(to, name);
  return fresh;
};

/**
 * A fetcher of a feed that is one file or some, each fetched as a whole when it has changed. They are read together: what is in
 * them no more was taken back, and an advisory may have rows in several.
 */
export const plainFiles = (
  filesOf: (address: FeedAddress) => readonly PlainFile[],
  inspect: Inspect,
): Fetcher =>
  mirrored(
    State,
    async (mirror, context) => {
      const files = filesOf(context.address);
      const state: State = { ...mirror.state };
      for (const file of files) {
        const known = await fetchOne(file, state[file.name] ?? null, inspect, mirror, context);
        if (known !== null) state[file.name] = known;
        await mirror.save(state);
      }
      await mirror.removeOthers(new Set(files.map(({ name }) => name)));
      return { state, complete: true };
    },
    { together: true },
  );
