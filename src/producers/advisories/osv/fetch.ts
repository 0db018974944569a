import { access } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { z } from 'zod';
import { below, nameAt, pathOf } from '../fetch/addresses-below.ts';
import { FetchError } from '../fetch/fetch-error.ts';
import type { FetchContext, Fetcher } from '../fetch/fetcher.ts';
import type { MirrorFiles } from '../fetch/mirror.ts';
import { mirrored } from '../fetch/mirror.ts';
import { plainFiles } from '../fetch/plain-files.ts';
import type { RecordFeed } from '../fetch/record-feed.ts';
import type { EntryOf, RecordEntry } from '../fetch/record-index.ts';
import { RecordState } from '../fetch/record-feed.ts';
import { syncRecords } from '../fetch/sync-records.ts';
import { isoTime } from '../iso-time.ts';
import { ecosystems } from './ecosystem.ts';

const INDEX = 'modified_id.csv';
/** Of records that the index has not, so many are asked for at one time. */
const MOST_UNLISTED = 50;

/** What an id may be made of: it becomes the name of a file. */
const ID = /^[A-Za-z0-9][A-Za-z0-9:._+-]{0,150}$/;
/** The directory of one ecosystem, or of all: its archive and its index stand in it. */
const directoryAt = (url: string): string =>
  /\/(?:all\.zip|modified_id\.csv)$/.test(pathOf(url))
    ? url.replace(/\/(?:all\.zip|modified_id\.csv)(?=\?|#|$)/, '')
    : url;

/** `Debian/DSA-1-1` is below the directory of all ecosystems what `DSA-1-1` is in that of one. */
const nameOf = (path: string): string => `records/${path}.json.gz`;
const pathIn = (name: string): string => name.replace(/^records\/(.*)\.json\.gz$/, '$1');
const second = (time: string | null): string | null => time?.slice(0, 19) ?? null;

const Told = z.looseObject({ id: z.string(), modified: z.string() });

const LINE = /^([^,]+),(?:([^,/]+)\/)?([^,/]+)$/;
const entryAt =
  (base: string): EntryOf =>
  (line) => {
    const [, when = '', ecosystem, id = ''] = LINE.exec(line) ?? [];
    const time = second(isoTime(when));
    if (time === null || !ID.test(id)) return null;
    if (ecosystem !== undefined && !ecosystems.has(ecosystem)) return 'not ours';
    const path = ecosystem === undefined ? id : `${ecosystem}/${id}`;
    return { name: nameOf(path), url: below(base, `${path}.json`), time };
  };

/** The directory within all of them, with its slash, that most of some records are in; of one ecosystem it is empty. */
const mostIn = (wanted: readonly RecordEntry[]): string => {
  const counts = new Map<string, number>();
  for (const { name } of wanted) {
    const directory = /^.*\//.exec(pathIn(name))?.[0] ?? '';
    counts.set(directory, (counts.get(directory) ?? 0) + 1);
  }
  return [...counts].sort(([, one], [, other]) => other - one)[0]?.[0] ?? '';
};

const feedAt = (base: string): RecordFeed => ({
  indexUrl: below(base, INDEX),
  entryOf: entryAt(base),
  archive: (_, wanted) => {
    const directory = mostIn(wanted);
    return Promise.resolve({
      url: below(base, `${directory}all.zip`),
      nameOf: (path) => {
        const id = /^(.*)\.json$/.exec(posix.basename(path))?.[1] ?? '';
        return ID.test(id) ? nameOf(`${directory}${id}`) : null;
      },
      time: '',
    });
  },
  timeOf: (name, record) => {
    const told = Told.safeParse(record);
    if (!told.success) throw new Error('it is no record of OSV');
    const { id, modified } = told.data;
    if (posix.basename(pathIn(name)) !== id)
      throw new Error(`it is ${JSON.stringify(id.slice(0, 100))}`);
    return second(isoTime(modified)) ?? '1970-01-01T00:00:00';
  },
});

/** Records that are not in the index any more are gone if they are not there either. */
const dropGone = async (
  base: string,
  listed: ReadonlyMap<string, unknown>,
  mirror: MirrorFiles,
  state: RecordState,
  { http, signal }: FetchContext,
): Promise<void> => {
  const unlisted = state.unlisted.filter((name) => !listed.has(name));
  const known = new Set(unlisted);
  const absent = Object.keys(state.records).filter((name) => !listed.has(name) && !known.has(name));
  for (const name of absent.slice(0, MOST_UNLISTED)) {
    const url = below(base, `${pathIn(name)}.json`);
    try {
      await http.download({ url, to: mirror.incoming('unlisted'), maxBytes: 1024 ** 3 }, signal);
      unlisted.push(name);
    } catch (error) {
      if (!(error instanceof FetchError) || (error.status !== 404 && error.status !== 410))
        throw error;
      state.records = Object.fromEntries(
        Object.entries(state.records).filter(([one]) => one !== name),
      );
      await mirror.remove(name);
    }
  }
  state.unlisted = unlisted;
};

const fetchRecords = mirrored(RecordState, async (mirror, context) => {
  const base = directoryAt(context.address.url);
  const { state, complete, index } = await syncRecords(feedAt(base), mirror, context);
  if (index !== null) await dropGone(base, index.entries, mirror, state, context);
  return { state, complete };
});

const fetchFile = plainFiles(
  ({ url }) => {
    const name = nameAt(url, '');
    return name.includes('.') && name !== INDEX
      ? [{ url, name }]
      : [{ url: below(directoryAt(url), 'all.zip'), name: 'all.zip' }];
  },
  async (files) => {
    let records = 0;
    for await (const { name } of files) if (/\.json(\.\w+)?$/i.test(name)) records += 1;
    return { records, newest: null };
  },
);

const hasRecords = async (directory: string): Promise<boolean> =>
  access(join(directory, 'records')).then(
    () => true,
    () => false,
  );

/**
 * OSV records: of one ecosystem as osv.dev publishes them (`…/<Ecosystem>/all.zip`), or of each that we know (`…/modified_id.csv`
 * above them), the archives once and from then on each record that `modified_id.csv` tells to be another; of any other address
 * the archive or file there, whenever it has changed.
 */
export const fetchOsv: Fetcher = async (context) => {
  const name = nameAt(context.address.url, '');
  const isEcosystem = name === 'all.zip' || name === INDEX || !name.includes('.');
  if (!isEcosystem || context.once === true) return fetchFile(context);
  try {
    return await fetchRecords(context);
  } catch (error) {
    const isWithoutIndex =
      error instanceof FetchError &&
      error.url.includes(INDEX) &&
      [403, 404, 410].includes(error.status ?? 0);
    if (!isWithoutIndex || (await hasRecords(context.directory))) throw error;
    return fetchFile(context);
  }
};
