import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { errorText } from '../../../core/error-text.ts';
import { contentOf } from './file-content.ts';
import { FetchError } from './fetch-error.ts';
import type { FetchContext, Fetcher } from './fetcher.ts';
import { keepRecord } from './keep-record.ts';
import type { MirrorFiles } from './mirror.ts';
import { mirrored } from './mirror.ts';
import { objection } from './objection.ts';

/** A page of records, the newest first. */
export interface Page {
  records: unknown[];
  /** On all pages. */
  total: number;
  isLast: boolean;
}

/** An API that gives its records in pages, the newest first. */
export interface PagedFeed {
  /** The first page is 0. */
  urlOf: (address: string, page: number) => string;
  /** Throws where it is none. */
  read: (json: unknown, page: number) => Page;
  /** Id of a record, and when it was published or changed. Null: it is none. */
  told: (record: unknown) => { id: string; time: string } | null;
}

const State = z.object({
  newest: z.string().nullable(),
  total: z.number(),
  /** All pages were read at least once. */
  isWhole: z.boolean(),
  /** One pass through all pages saw as many records as there were said to be: what is not here is not there. */
  isComplete: z.boolean().default(true),
  /** Where the pass through all pages is. */
  page: z.number(),
  /** Files of the records that it has seen. */
  seen: z.array(z.string()).default([]),
  /** Of those that are here, the ones that the pass before this did not see. */
  missed: z.array(z.string()).default([]),
});
type State = z.infer<typeof State>;

const MOST_PAGE_BYTES = 64 * 1024 * 1024;
const MOST_PAGES = 10_000;
/** Of the pass through all pages that never ends, so many at one time. */
const SLOW_PAGES = 2;
/** What an id may be made of: it becomes the name of a file. */
const ID = /^[A-Za-z0-9][A-Za-z0-9:._-]{0,100}$/;

type ReadPage = (page: number) => Promise<Page>;

/** Reads pages, with a pause between them. */
const pageReader = (feed: PagedFeed, mirror: MirrorFiles, context: FetchContext): ReadPage => {
  const { http, signal, address } = context;
  let isFirst = true;
  return async (page) => {
    const url = feed.urlOf(address.url, page);
    if (page >= MOST_PAGES) throw new FetchError(url, `it has more than ${MOST_PAGES} pages`);
    if (!isFirst) await http.pause(signal);
    isFirst = false;
    const to = mirror.incoming('page');
    await http.download({ url, to, maxBytes: MOST_PAGE_BYTES, mayBePacked: true }, signal);
    try {
      const pieces: Uint8Array[] = [];
      for await (const piece of contentOf(to)) pieces.push(piece);
      const read = feed.read(JSON.parse(Buffer.concat(pieces).toString('utf8')), page);
      return { ...read, isLast: read.isLast || read.records.length === 0 };
    } catch (error) {
      throw new FetchError(url, `what came is no page of it: ${errorText(error)}`);
    }
  };
};

/** Keeps the records of a page. Tells whether one of them was new or another. */
const keep = async (
  feed: PagedFeed,
  { records }: Page,
  mirror: MirrorFiles,
  seen: Set<string>,
): Promise<boolean> => {
  let isNews = false;
  for (const record of records) {
    const id = feed.told(record)?.id ?? '';
    if (!ID.test(id)) {
      mirror.refuse({ file: 'page', record: id.slice(0, 100) || 'one', reason: 'it has no id' });
      continue;
    }
    const name = `records/${id}.json.gz`;
    seen.add(name);
    if (await keepRecord(mirror, name, Buffer.from(JSON.stringify(record)))) isNews = true;
  }
  return isNews;
};

/**
 * Takes away what two whole passes in a row have not seen, or one where a person said so; answers what else this one has not.
 * After one alone it may be there: what is taken out between two pages makes those behind it move up, past a pass that stands there.
 */
const removeGone = async (
  mirror: MirrorFiles,
  { directory, evenIfMostIsGone = false }: FetchContext,
  missed: readonly string[],
  seen: ReadonlySet<string>,
): Promise<string[]> => {
  const before = new Set(missed);
  const here = await readdir(join(directory, 'records')).catch((): string[] => []);
  const unseen = here.map((name) => `records/${name}`).filter((name) => !seen.has(name));
  const gone = unseen.filter((name) => evenIfMostIsGone || before.has(name));
  for (const name of gone) await mirror.remove(name);
  return unseen.filter((name) => !gone.includes(name));
};

/** What a person accepted is looked at as a whole, at once. */
const asAccepted = (state: State, { evenIfMostIsGone }: FetchContext): State =>
  evenIfMostIsGone === true ? { ...state, isWhole: false, page: 0, seen: [] } : state;

const newestOf = (feed: PagedFeed, { records }: Page): string | null =>
  records
    .map((record) => feed.told(record)?.time ?? '')
    .sort()
    .at(-1) ?? null;

/**
 * A fetcher of such an API, a file for each record: the newest pages until one has nothing new; all of them a first
 * time, in as many runs as it takes, and from then on again and again, a few pages at a time, for what was changed since or is
 * there no more.
 */
export const pagedFeed = (feed: PagedFeed): Fetcher =>
  mirrored(State, async (mirror, context) => {
    const read = pageReader(feed, mirror, context);
    const first = await read(0);
    const known = mirror.state === null ? null : asAccepted(mirror.state, context);
    const about = (total: number, newest: string | null) => ({
      ...{ etag: null, lastModified: null, records: total, newest },
    });
    const newest = newestOf(feed, first);
    const against = objection(
      about(first.records.length === 0 ? 0 : first.total, newest),
      known === null ? null : about(known.total, known.newest),
      context.now(),
      context.evenIfMostIsGone,
    );
    if (against !== null) {
      if (known === null) throw new FetchError(feed.urlOf(context.address.url, 0), against.reason);
      mirror.refuse({ file: 'page', ...against });
      return { state: known, complete: known.isWhole && known.isComplete };
    }
    if (known === null) await mirror.removeOthers(new Set());
    const state: State = {
      ...{ total: first.total, newest, isWhole: false, isComplete: false, page: 0 },
      ...{ seen: [], missed: [] },
      ...known,
    };
    const seen = new Set(state.seen);

    /** A pass has come to its end. One that saw fewer records than there are said to be tells nothing of the others. */
    const ended = async ({ total }: Page): Promise<void> => {
      const most = Math.max(first.total, total);
      if (seen.size >= most) {
        state.missed = await removeGone(mirror, context, state.missed, seen);
        state.isComplete = true;
      } else {
        state.missed = state.missed.filter((name) => !seen.has(name));
        const reason = `all pages together had ${seen.size} of ${most} records: the others do not count as taken back`;
        mirror.refuse({ file: 'page', record: 'some', reason });
      }
      seen.clear();
      Object.assign(state, { page: 0, isWhole: true });
    };
    /** Tells where the pass through all pages is now; it has come to its end behind the last one. */
    const passed = async (page: number, now: Page): Promise<void> => {
      if (now.isLast) await ended(now);
      else state.page = page + 1;
      state.seen = [...seen];
      await mirror.save(state);
    };
    const wasWhole = state.isWhole;
    let page = 0;
    for (let now = first; ; now = await read(page)) {
      const isNews = await keep(feed, now, mirror, seen);
      // Until all were read once this is the pass through all of them.
      if (!wasWhole && (page >= state.page || now.isLast)) await passed(page, now);
      if (!isNews || now.isLast) break;
      page += 1;
    }
    Object.assign(state, { total: first.total, newest });
    if (wasWhole && first.isLast) await passed(0, first);
    const isOver = first.isLast || (state.isWhole && !wasWhole);
    for (let slow = 0; !isOver && (!wasWhole || slow < SLOW_PAGES); slow += 1) {
      // The first one is read each time.
      const at = Math.max(state.page, 1);
      const now = await read(at);
      await keep(feed, now, mirror, seen);
      await passed(at, now);
      if (now.isLast) break;
    }
    return { state, complete: state.isWhole && state.isComplete };
  });
