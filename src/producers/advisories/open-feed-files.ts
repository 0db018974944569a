import { createReadStream } from 'node:fs';
import { errorText } from '../../core/error-text.ts';
import type { FeedFile } from './feed-file.ts';
import { FeedError } from './feed-error.ts';
import type { FoundFile } from './files-below.ts';
import { filesBelow, filesNamed, printable } from './files-below.ts';
import type { ByteQueue } from './unpack/byte-queue.ts';
import { byteQueue } from './unpack/byte-queue.ts';
import { decompress } from './unpack/decompress.ts';
import type { Budget, FeedLimits } from './unpack/limits.ts';
import {
  counted,
  countEntry,
  feedLimits,
  newBudget,
  withinBudget,
  withinDocument,
} from './unpack/limits.ts';
import type { ArchiveEntry } from './unpack/read-tar.ts';
import { readTar } from './unpack/read-tar.ts';
import { readZip } from './unpack/read-zip.ts';
import { compressionOf, isTarHeader, isZip, SNIFFED_BYTES } from './unpack/sniff.ts';

const feedError = (name: string, error: unknown): FeedError =>
  error instanceof FeedError ? error : new FeedError(name, errorText(error));

/** Bytes without what compresses them, and what that is. The beginning is there already. */
const unpacked = async (
  source: AsyncIterable<Uint8Array>,
  budget: Budget,
): Promise<{ queue: ByteQueue; compression: string | null }> => {
  const packed = { bytes: 0 };
  const outer = byteQueue(counted(source, packed));
  await outer.fill(SNIFFED_BYTES);
  const compression = compressionOf(outer.view());
  const content = compression === null ? outer.rest() : decompress(compression, outer.rest());
  const queue = byteQueue(withinBudget(content, packed, budget));
  return { queue, compression };
};

/** Where a document lies. */
interface Place {
  name: string;
  read: () => AsyncIterable<Uint8Array>;
  /** What it lies in is compressed already. */
  isPacked: boolean;
}

/** One document, which may be compressed, but neither twice nor as an archive. */
const readDocument = async function* (
  { name, read, isPacked }: Place,
  budget: Budget,
): AsyncGenerator<Uint8Array> {
  try {
    const queue = isPacked ? byteQueue(read()) : (await unpacked(read(), budget)).queue;
    try {
      await queue.fill(SNIFFED_BYTES);
      const head = queue.view();
      if (isZip(head) || isTarHeader(head))
        throw new Error('it is an archive within an archive, which is not opened');
      if (compressionOf(head) !== null) throw new Error('it is compressed twice');
      yield* withinDocument(queue.rest(), budget.limits);
    } finally {
      await queue.close();
    }
  } catch (error) {
    throw feedError(name, error);
  }
};

/** The bytes of a document as they are stored. */
const readStored = async function* (
  { name, read }: Place,
  { limits }: Budget,
): AsyncGenerator<Uint8Array> {
  try {
    yield* withinDocument(read(), limits);
  } catch (error) {
    throw feedError(name, error);
  }
};

const archiveFiles = async function* (
  archive: { name: string; isPacked: boolean },
  entries: AsyncIterable<ArchiveEntry>,
  budget: Budget,
): AsyncGenerator<FeedFile> {
  for await (const entry of entries) {
    const name = `${archive.name}/${printable(entry.name)}`;
    countEntry(budget);
    const place = { name, read: entry.read, isPacked: archive.isPacked };
    yield {
      name,
      read: () => readDocument(place, budget),
      readRaw: () => readStored(place, budget),
    };
  }
};

const archiveName = /\.(zip|tar(\.\w+)?|tgz|txz|tbz2?|tzst)$/i;

/** What lies in one file: the files of an archive, or itself. */
const filesIn = async function* (
  { path, name }: FoundFile,
  budget: Budget,
): AsyncGenerator<FeedFile> {
  const { queue, compression } = await unpacked(createReadStream(path), budget);
  const isPacked = compression !== null;
  const shouldBeArchive = archiveName.test(name);
  try {
    // Who reads a document is told of the damage, at its beginning as further behind.
    await queue.fill(SNIFFED_BYTES).catch((error: unknown) => {
      if (shouldBeArchive) throw error;
    });
    const head = queue.view();
    if (isTarHeader(head)) {
      yield* archiveFiles({ name, isPacked }, readTar(queue), budget);
      return;
    }
    if (isZip(head)) {
      if (isPacked) throw new Error('it is a zip archive that is compressed');
      await queue.close();
      yield* archiveFiles({ name, isPacked }, readZip(path, budget), budget);
      return;
    }
    if (shouldBeArchive) throw new Error('it is no archive, as its name says');
  } finally {
    await queue.close();
  }
  countEntry(budget);
  const place = { name, read: () => createReadStream(path), isPacked: false };
  yield { name, read: () => readDocument(place, budget), readRaw: () => readStored(place, budget) };
};

/** The documents of files, as far as they can be read; throws after them what could not. */
const openFound = async function* (
  files: AsyncIterable<FoundFile>,
  failed: FeedError[],
  limits: FeedLimits,
): AsyncGenerator<FeedFile> {
  const budget = newBudget(limits);
  for await (const file of files) {
    try {
      yield* filesIn(file, budget);
    } catch (error) {
      failed.push(feedError(file.name, error));
      if (budget.spent) break;
    }
  }
  const [first, ...more] = failed;
  if (first === undefined) return;
  if (more.length === 0) throw first;
  const others = more.slice(0, 5).map(({ message }) => message);
  const rest = more.length > others.length ? `; and ${more.length - others.length} more` : '';
  throw new FeedError(first.file, `${first.reason}; ${others.join('; ')}${rest}`);
};

/**
 * The documents of a feed that is a file or a directory here: plain or compressed (gzip, xz, bzip2, zstd), and the files of
 * zip and tar archives, one after the other; told by what is in them. Nothing is written anywhere.
 *
 * Reading one of them fails with a `FeedError` where it is damaged or beyond the limits, and others can be read all the
 * same; those of an archive only until the next one is asked for, so a source that reads an index first wants a directory. What cannot be told of one document (an archive without
 * its directory, a file without permission) is thrown as a `FeedError` after all that could be read has been given.
 */
export const openFeedFiles = (
  path: string,
  limits: FeedLimits = feedLimits,
): AsyncGenerator<FeedFile> => {
  const failed: FeedError[] = [];
  return openFound(filesBelow(path, failed), failed, limits);
};

/**
 * The same of some files of a feed's directory, by their names below it, which they keep: sources tell by them what a file is. One
 * that is gone is passed over.
 */
export const openSomeFiles = (
  directory: string,
  names: readonly string[],
): AsyncGenerator<FeedFile> => openFound(filesNamed(directory, names), [], feedLimits);
