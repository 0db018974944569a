import { createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { below, nameAt, pathOf } from '../fetch/addresses-below.ts';
import { FetchError } from '../fetch/fetch-error.ts';
import { fetchText } from '../fetch/fetch-text.ts';
import type { FetchContext, Fetcher } from '../fetch/fetcher.ts';
import { contentOf } from '../fetch/file-content.ts';
import type { MirrorFiles } from '../fetch/mirror.ts';
import { mirrored } from '../fetch/mirror.ts';
import { plainFiles } from '../fetch/plain-files.ts';
import type { RecordArchive, RecordFeed } from '../fetch/record-feed.ts';
import { RecordState } from '../fetch/record-feed.ts';
import { syncRecords } from '../fetch/sync-records.ts';
import { isoTime } from '../iso-time.ts';
import { linesOf } from '../lines-of.ts';

const DELETIONS = 'deletions.csv';
const MOST_DELETIONS_BYTES = 64 * 1024 * 1024;
const DAY_MS = 24 * 60 * 60 * 1000;

const LINE = /^"([^"]*)","([^"]*)"$/;
const DOCUMENT = /^(?:.*\/)?(\d{4}\/[a-z][a-z0-9_.-]*\.json)$/i;

/** A document and its time, as a line of `changes.csv` and `deletions.csv` has them. */
const lineOf = (line: string): { path: string; time: string } | null => {
  const [, path = '', when = ''] = LINE.exec(line) ?? [];
  const [, document] = DOCUMENT.exec(path) ?? [];
  const time = isoTime(when)?.slice(0, 19) ?? null;
  return document === undefined || document !== path || time === null ? null : { path, time };
};

const Document = z.looseObject({
  document: z.looseObject({ tracking: z.looseObject({ id: z.string() }) }),
});

/** The archive that is the newest; of its documents those of the day it was made, and of the one before, may be older. */
const newestArchive = async (
  base: string,
  mirror: MirrorFiles,
  context: FetchContext,
): Promise<RecordArchive | null> => {
  const url = below(base, 'archive_latest.txt');
  const name = await fetchText(url, mirror, context).then(
    (text) => text.trim(),
    (error: unknown) => {
      if (error instanceof FetchError && error.status === 404) return null;
      throw error;
    },
  );
  if (name === null) return null;
  if (!/^[\w][\w.-]{0,200}\.tar\.\w{2,4}$/.test(name))
    throw new FetchError(url, `it names no archive: ${JSON.stringify(name.slice(0, 100))}`);
  const day = Date.parse(/\d{4}-\d\d-\d\d/.exec(name)?.[0] ?? '1970-01-02');
  return {
    url: below(base, name),
    nameOf: (path) => {
      const document = DOCUMENT.exec(path)?.[1];
      return document === undefined ? null : `${document}.gz`;
    },
    time: new Date((Number.isNaN(day) ? DAY_MS : day) - DAY_MS).toISOString().slice(0, 19),
  };
};

const feedAt = (base: string, mirror: MirrorFiles, context: FetchContext): RecordFeed => ({
  indexUrl: below(base, 'changes.csv'),
  entryOf: (line) => {
    const read = lineOf(line);
    return read === null
      ? null
      : { name: `${read.path}.gz`, url: below(base, read.path), time: read.time };
  },
  archive: async () => newestArchive(base, mirror, context),
  timeOf: (_, record) => {
    if (!Document.safeParse(record).success) throw new Error('it is no CSAF document');
    return null;
  },
});

/** Gets what was taken back, if it is another list than the one that is here. */
const fetchDeletions = async (
  base: string,
  raw: string,
  state: RecordState,
  mirror: MirrorFiles,
  { http, signal }: FetchContext,
): Promise<void> => {
  const to = mirror.incoming(DELETIONS);
  const unless = state.beside === null ? {} : { unless: state.beside };
  const url = below(base, DELETIONS);
  try {
    const came = await http.download(
      { url, to, maxBytes: MOST_DELETIONS_BYTES, ...unless },
      signal,
    );
    if (!came.changed) return;
    await rename(to, raw);
    state.beside = came.validators;
  } catch (error) {
    if (!(error instanceof FetchError) || error.status !== 404) throw error;
  }
};

/** Puts in what was taken back, without documents that have come again since: those count. */
const putDeletions = async (
  raw: string,
  { records }: RecordState,
  mirror: MirrorFiles,
): Promise<void> => {
  const standing = async function* (): AsyncGenerator<string> {
    for await (const line of linesOf(contentOf(raw))) {
      const deletion = lineOf(line.trim());
      const again = deletion === null ? undefined : records[`${deletion.path}.gz`];
      if (again === undefined || again <= (deletion?.time ?? '')) yield `${line}\n`;
    }
  };
  const kept = mirror.incoming('standing');
  await pipeline(standing, createWriteStream(kept));
  await mirror.put(kept, DELETIONS);
};

const fetchDocuments = mirrored(RecordState, async (mirror, context) => {
  const { url } = context.address;
  const base = url.replace(/\/(?:archive_latest\.txt|changes\.csv|deletions\.csv)(?=\?|#|$)/, '');
  const { state, complete } = await syncRecords(feedAt(base, mirror, context), mirror, context);
  const raw = join(context.directory, '.deletions.csv');
  await fetchDeletions(base, raw, state, mirror, context);
  if (state.beside !== null) await putDeletions(raw, state, mirror);
  return { state, complete };
});

const fetchFile = plainFiles(
  ({ url }) => [{ url, name: nameAt(url, 'document.json') }],
  async (files) => {
    let records = 0;
    for await (const { name } of files) if (/\.json(\.\w+)?$/i.test(name)) records += 1;
    return { records, newest: null };
  },
);

/**
 * Red Hat's CSAF documents, advisories or VEX, at the address of their directory: the archive once, and from then on each
 * document that `changes.csv` tells to be another, with `deletions.csv`. Or an archive or document alone.
 */
export const fetchRedhatCsaf: Fetcher = async (context) =>
  /\.(?:tar(?:\.\w+)?|tgz|zip|json(?:\.\w+)?)$/.test(pathOf(context.address.url))
    ? fetchFile(context)
    : fetchDocuments(context);
