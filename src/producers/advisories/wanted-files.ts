import type { FeedFile } from './feed-file.ts';

/** Behind the name of what is compressed. */
const PACKED = /\.(?:gz|xz|bz2|zst|lzma)$/i;

/**
 * The files of a feed that a source reads, by their names (without what says that they are compressed). A feed that is a
 * single file may call it what it likes: whoever named that file means it.
 */
export const wantedFiles = async function* (
  files: AsyncIterable<FeedFile>,
  isWanted: (name: string) => boolean,
): AsyncGenerator<FeedFile> {
  let count = 0;
  let other: FeedFile | null = null;
  for await (const file of files) {
    count += 1;
    if (isWanted(file.name.replace(PACKED, ''))) yield file;
    else other = file;
  }
  if (count === 1 && other !== null) yield other;
};
