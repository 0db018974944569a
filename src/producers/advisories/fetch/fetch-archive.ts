import { access, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText } from '../../../core/error-text.ts';
import { FeedError } from '../feed-error.ts';
import { FetchError } from './fetch-error.ts';
import type { FetchContext } from './fetcher.ts';
import { flush } from './flush.ts';
import { unpackRecords } from './keep-record.ts';
import type { Mirror } from './mirror.ts';
import type { RecordArchive, RecordFeed, RecordState } from './record-feed.ts';

const MOST_BYTES = 8 * 1024 ** 3;
/** Records between two times that what is known is written down. */
const SAVED_EACH = 2000;

/** Where an archive is kept until its records are taken out of it. */
const pathFor = (directory: string, url: string): string =>
  join(
    directory,
    `.archive${/\.(?:zip|tar(?:\.\w+)?|tgz|txz)$/.exec(new URL(url).pathname)?.[0] ?? ''}`,
  );

const unpack = async (
  path: string,
  archive: RecordArchive,
  feed: RecordFeed,
  mirror: Mirror<RecordState>,
  state: RecordState,
  signal: AbortSignal,
): Promise<void> => {
  const { records } = state;
  let taken = 0;
  await unpackRecords(path, mirror, (within) => {
    signal.throwIfAborted();
    const name = archive.nameOf(within);
    if (name === null) return null;
    const accept = async (content: Buffer): Promise<boolean> => {
      try {
        const time = feed.timeOf(name, JSON.parse(content.toString('utf8'))) ?? archive.time;
        if (time <= (records[name] ?? '')) return false;
        // What is written down lies there by now.
        if (taken > 0 && taken % SAVED_EACH === 0) await mirror.save(state);
        taken += 1;
        records[name] = time;
        return true;
      } catch (error) {
        mirror.refuse({ file: name, record: name, reason: errorText(error) });
        return false;
      }
    };
    return { name, accept };
  });
};

/**
 * Takes the records of an archive of a feed that are newer than those that are here. An archive that is here already, since
 * it was ended in the middle, is not downloaded again.
 */
export const fetchArchive = async (
  archive: RecordArchive,
  feed: RecordFeed,
  mirror: Mirror<RecordState>,
  state: RecordState,
  { directory, http, signal }: FetchContext,
): Promise<void> => {
  const { url } = archive;
  const to = pathFor(directory, url);
  const had = state.archive?.url === url ? state.archive : null;
  const isHere =
    had?.isUnpacked === false &&
    (await access(to).then(
      () => true,
      () => false,
    ));
  if (!isHere) {
    const unless = had?.isUnpacked === true ? { unless: had } : {};
    const came = await http.download({ url, to, maxBytes: MOST_BYTES, ...unless }, signal);
    if (!came.changed) return;
    state.archive = { url, ...came.validators, isUnpacked: false };
    await mirror.save(state);
  }
  try {
    await unpack(to, archive, feed, mirror, state, signal);
  } catch (error) {
    if (!(error instanceof FeedError)) throw error;
    await rm(to);
    state.archive = null;
    await mirror.save(state);
    throw new FetchError(url, `what came is damaged: ${error.message}`);
  }
  await flush(directory);
  if (state.archive !== null) state.archive.isUnpacked = true;
  await mirror.save(state);
  await rm(to);
};
