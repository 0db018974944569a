import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { FeedError } from './feed-error.ts';
import type { FeedFile } from './feed-file.ts';
import { filesBelow } from './files-below.ts';
import { openFeedFiles } from './open-feed-files.ts';

/**
 * Names the content of a feed that lies here as a file or a directory: another text whenever a file of it came, went or was
 * written. Looks at sizes and times alone. Throws where it cannot be read.
 */
export const localVersion = async (path: string): Promise<string> => {
  const hash = createHash('sha256');
  const failed: FeedError[] = [];
  for await (const file of filesBelow(path, failed)) {
    const { size, mtimeMs, ino } = await stat(file.path);
    hash.update(`${file.name}\0${size}\0${mtimeMs}\0${ino}\n`);
  }
  const [first] = failed;
  if (first !== undefined) throw first;
  return hash.digest('hex');
};

/** Some files of a feed's directory, by their names; one that is gone is passed over. */
export const openSomeFiles = async function* (
  directory: string,
  names: readonly string[],
): AsyncGenerator<FeedFile> {
  for (const name of names) {
    const path = join(directory, name);
    const there = await stat(path).then(
      () => true,
      () => false,
    );
    if (there) yield* openFeedFiles(path);
  }
};
