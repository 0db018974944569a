import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { FeedError } from './feed-error.ts';
import { filesBelow } from './files-below.ts';

/** What one look at a feed found. */
interface Look {
  at: number;
  version: string;
  files: number;
  /** Each directory, and when a file of it last came, went or was renamed. */
  directories: Map<string, number>;
}

/** A directory that was changed since may be changed again at once. */
const restMs = 2_000;

const lookAt = async (path: string, now: number): Promise<Look> => {
  const hash = createHash('sha256');
  const failed: FeedError[] = [];
  const directories = new Map<string, number>();
  const note = async (directory: string): Promise<void> => {
    const { mtimeMs } = await stat(directory);
    // What comes in the same tick of its clock leaves no other time.
    directories.set(directory, Date.now() - mtimeMs < restMs ? Number.NaN : mtimeMs);
  };
  let files = 0;
  for await (const file of filesBelow(path, failed, note)) {
    const { size, mtimeMs, ino } = await stat(file.path);
    hash.update(`${file.name}\0${size}\0${mtimeMs}\0${ino}\n`);
    files += 1;
  }
  const [first] = failed;
  if (first !== undefined) throw first;
  return { at: now, version: hash.digest('hex'), files, directories };
};

/** Whether directories have the files that they had, as far as they tell that themselves. */
const areSame = async (directories: ReadonlyMap<string, number>): Promise<boolean> => {
  for (const [directory, mtimeMs] of directories) {
    const now = await stat(directory).catch(() => null);
    if (now?.mtimeMs !== mtimeMs) return false;
  }
  return true;
};

/** Looking at each of so many files, again and again, costs more than it is worth. */
const manyFiles = 1_000;
const lookAtManyEveryMs = 15 * 60_000;

/**
 * Names the content of a feed that lies here as a file or a directory: another text whenever a file of it came, went or was
 * written. Looks at sizes and times alone. Of more than a thousand files, what came, went or was put in another's place is found at
 * once, one that was written over where it lies within a quarter of an hour. Throws where it cannot be read. `now`: in ms.
 */
export const watchLocalVersion = (path: string, now: () => number): (() => Promise<string>) => {
  let last: Look | null = null;
  return async () => {
    const isRecent = last !== null && last.files > manyFiles && now() - last.at < lookAtManyEveryMs;
    if (isRecent && last !== null && (await areSame(last.directories))) return last.version;
    last = await lookAt(path, now());
    return last.version;
  };
};
