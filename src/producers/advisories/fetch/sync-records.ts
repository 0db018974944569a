import { readFile, rm } from 'node:fs/promises';
import { errorText } from '../../../core/error-text.ts';
import { fetchArchive } from './fetch-archive.ts';
import { FetchError } from './fetch-error.ts';
import type { FetchContext } from './fetcher.ts';
import { inParallel } from './in-parallel.ts';
import { keepRecord, MOST_RECORD_BYTES } from './keep-record.ts';
import type { Mirror } from './mirror.ts';
import type { Known, Objection } from './objection.ts';
import { objection } from './objection.ts';
import type { RecordFeed, RecordState } from './record-feed.ts';
import type { RecordEntry, RecordIndex } from './record-index.ts';
import { readRecordIndex } from './record-index.ts';

const MOST_INDEX_BYTES = 256 * 1024 * 1024;
/** More than this are not asked for one by one, if there is an archive, and not at one time. */
const MOST_RECORDS = 2000;
/** Records between two times that what is known is written down. */
const SAVED_EACH = 250;
/** A record that is not as new as its index says lies in a cache; after this it is as it is. */
const CACHED_MS = 24 * 60 * 60 * 1000;

const wantedOf = ({ entries }: RecordIndex, records: Record<string, string>): RecordEntry[] =>
  [...entries.values()]
    .filter(({ name, time }) => (records[name] ?? '') < time)
    .sort((a, b) => (a.time < b.time ? -1 : 1));

const fetchRecord = async (
  { name, url, time }: RecordEntry,
  feed: RecordFeed,
  mirror: Mirror<RecordState>,
  state: RecordState,
  { http, signal, now }: FetchContext,
): Promise<void> => {
  const to = mirror.incoming(`fresh ${name}`);
  let content: Buffer;
  let told: string | null;
  try {
    await http.download({ url, to, maxBytes: MOST_RECORD_BYTES }, signal);
    content = await readFile(to);
    await rm(to);
    told = feed.timeOf(name, JSON.parse(content.toString('utf8')));
  } catch (error) {
    const isOfRecord =
      !(error instanceof FetchError) || error.status === 404 || error.status === 410;
    if (!isOfRecord || signal.aborted) throw error;
    mirror.refuse({
      ...{ file: name, record: name },
      reason: error instanceof FetchError ? error.reason : errorText(error),
    });
    return;
  }
  // An older one than is here: of a cache, or of a mirror that lags behind.
  if (told !== null && told < (state.records[name] ?? '')) return;
  await keepRecord(mirror, name, content);
  const isCached =
    told !== null && told < time && Date.parse(`${time}Z`) > now().getTime() - CACHED_MS;
  state.records[name] = isCached ? (told ?? time) : time;
};

/** What the index offers, and whether it was taken in; the one that is here where it was not. */
const readIndex = async (
  feed: RecordFeed,
  mirror: Mirror<RecordState>,
  state: RecordState,
  { http, signal, now, evenIfMostIsGone }: FetchContext,
): Promise<{ index: RecordIndex; known: Known } | null> => {
  const to = mirror.incoming('index');
  const unless = state.isCaughtUp && state.index !== null ? { unless: state.index } : {};
  const url = feed.indexUrl;
  const came = await http.download(
    { url, to, maxBytes: MOST_INDEX_BYTES, mayBePacked: true, ...unless },
    signal,
  );
  if (!came.changed) return null;
  const file = url.split('/').at(-1) ?? '';
  const refuse = ({ reason, ...more }: Objection): null => {
    if (state.index === null) throw new FetchError(url, reason);
    mirror.refuse({ file, reason, ...more });
    return null;
  };
  let index: RecordIndex;
  try {
    index = await readRecordIndex(to, feed.entryOf);
  } catch (error) {
    return refuse({ reason: `what came is damaged: ${errorText(error)}` });
  }
  const { entries, newest, bad } = index;
  const known = { ...came.validators, records: entries.size, newest };
  const against = objection(known, state.index, now(), evenIfMostIsGone);
  if (against !== null) return refuse(against);
  if (bad.length > 0)
    mirror.refuse({
      file,
      record: `line ${bad[0] ?? 0}`,
      reason: `${bad.length} lines name no record`,
    });
  return { index, known };
};

/** What is here; nothing where it was lost. */
const knownState = async (mirror: Mirror<RecordState>): Promise<RecordState> => {
  const names = Object.keys(mirror.state?.records ?? {});
  const some = [...names.slice(0, 1), ...names.slice(-1)];
  if (mirror.state !== null && (await Promise.all(some.map(mirror.has))).every(Boolean))
    return mirror.state;
  if (mirror.state === null) await mirror.removeOthers(new Set());
  else await mirror.clear();
  return {
    ...{ index: null, isCaughtUp: false, archive: null, records: {}, unlisted: [], beside: null },
  };
};

/** Takes archives, each once, until the records that are left are few enough to be asked for one by one. */
const fetchArchives = async (
  { index }: { index: RecordIndex },
  feed: RecordFeed,
  mirror: Mirror<RecordState>,
  state: RecordState,
  context: FetchContext,
): Promise<void> => {
  const taken = new Set<string>();
  let wanted = wantedOf(index, state.records);
  while (wanted.length > MOST_RECORDS || (taken.size === 0 && state.archive?.isUnpacked !== true)) {
    const archive = await feed.archive(context.signal, wanted);
    if (archive === null || taken.has(archive.url)) return;
    taken.add(archive.url);
    await fetchArchive(archive, feed, mirror, state, context);
    wanted = wantedOf(index, state.records);
  }
};

/** Makes the directory hold every record of the index as it is now, a file for each. */
export const syncRecords = async (
  feed: RecordFeed,
  mirror: Mirror<RecordState>,
  context: FetchContext,
): Promise<{ state: RecordState; complete: boolean; index: RecordIndex | null }> => {
  const state = await knownState(mirror);
  const read = await readIndex(feed, mirror, state, context);
  if (read === null) return { state, complete: state.isCaughtUp, index: null };
  state.isCaughtUp = false;
  await fetchArchives(read, feed, mirror, state, context);
  const wanted = wantedOf(read.index, state.records);
  let done = 0;
  await inParallel(wanted.slice(0, MOST_RECORDS), async (entry) => {
    await fetchRecord(entry, feed, mirror, state, context);
    done += 1;
    if (done % SAVED_EACH === 0) await mirror.save(state);
  }).catch(async (error: unknown) => {
    await mirror.save(state);
    throw error;
  });
  state.isCaughtUp = wanted.length <= MOST_RECORDS;
  state.index = read.known;
  return { state, complete: state.isCaughtUp, index: read.index };
};
