import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { basename, join, sep } from 'node:path';
import { errorText } from '../../core/error-text.ts';
import { FeedError } from './feed-error.ts';

/** A file of a feed, where it lies. */
export interface FoundFile {
  path: string;
  /** Below the feed's directory, with `/`. */
  name: string;
}

const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Names with control characters would be carried out by a terminal. */
export const printable = (name: string): string =>
  name.replace(/[\p{Cc}\u2028\u2029\ufffd]/gu, '?');

const walk = async function* (
  root: string,
  below: string,
  failed: FeedError[],
  onDirectory: (path: string) => Promise<void>,
): AsyncGenerator<FoundFile> {
  await onDirectory(join(root, below));
  const entries = await readdir(join(root, below), { withFileTypes: true }).catch(
    (error: unknown) => {
      failed.push(new FeedError(printable(below), errorText(error)));
      return [];
    },
  );
  for (const entry of entries.sort((a, b) => byName(a.name, b.name))) {
    const { name } = entry;
    if (name.startsWith('.')) continue;
    const path = join(root, below, name);
    const within = below === '' ? name : `${below}/${name}`;
    try {
      // Some file systems do not tell what an entry is.
      const isTold = entry.isDirectory() || entry.isFile() || entry.isSymbolicLink();
      const found = isTold ? entry : await lstat(path);
      if (found.isDirectory()) yield* walk(root, within, failed, onDirectory);
      else if (found.isFile()) yield { path, name: printable(within) };
      else if (found.isSymbolicLink()) {
        // Directories of a mirror are linked for other names of the same: their files come once.
        if (!(await stat(path)).isFile()) continue;
        const target = await realpath(path);
        if (target.startsWith(root + sep)) yield { path: target, name: printable(within) };
        else failed.push(new FeedError(printable(within), 'it is a link out of the feed'));
      }
    } catch (error) {
      failed.push(new FeedError(printable(within), errorText(error)));
    }
  }
};

/**
 * The files of a feed: the one that it is, or those of a directory and the ones below it, in the order of their names.
 * What begins with a dot, and what is no file, is passed over. What cannot be read is added to `failed`; `onDirectory` is told of
 * each directory before it is read.
 */
export const filesBelow = async function* (
  path: string,
  failed: FeedError[],
  onDirectory: (path: string) => Promise<void> = () => Promise.resolve(),
): AsyncGenerator<FoundFile> {
  const name = printable(basename(path));
  try {
    const root = await realpath(path);
    const found = await stat(root);
    if (found.isDirectory()) yield* walk(root, '', failed, onDirectory);
    else if (found.isFile()) yield { path: root, name };
    else failed.push(new FeedError(name, 'it is neither a file nor a directory'));
  } catch (error) {
    failed.push(new FeedError(name, errorText(error)));
  }
};

/** Some files of a feed's directory, by their names below it; one that is gone is passed over. */
export const filesNamed = async function* (
  directory: string,
  names: readonly string[],
): AsyncGenerator<FoundFile> {
  for (const name of names) {
    const path = join(directory, name);
    const isThere = await stat(path).then(
      (found) => found.isFile(),
      () => false,
    );
    if (isThere) yield { path, name: printable(name) };
  }
};
