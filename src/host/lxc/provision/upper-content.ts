import { constants } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Whether a file holds just this. Its owner may make a link, a pipe or terabytes of it while we look. */
const holds = async (path: string, text: string): Promise<boolean> => {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  const file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch(() => null);
  try {
    if ((await file?.stat())?.isFile() !== true) return false;
    const wanted = Buffer.from(text);
    const there = await file?.read(Buffer.alloc(wanted.length + 1), 0, wanted.length + 1, 0);
    return there?.buffer.subarray(0, there.bytesRead).equals(wanted) === true;
  } finally {
    await file?.close();
  }
};

/**
 * Whether an upper layer holds anything but directories: files, links, whiteouts. `given` are files, by path in
 * it, that do not count as long as they hold what is said here.
 */
export const hasOwnFiles = async (
  upper: string,
  given: ReadonlyMap<string, string>,
  directory = '',
): Promise<boolean> => {
  const entries = await readdir(join(upper, directory), { withFileTypes: true }).catch(
    (error: unknown) => {
      // A container that was never started has no upper layer yet.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    },
  );
  for (const entry of entries) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) {
      if (await hasOwnFiles(upper, given, path)) return true;
      continue;
    }
    const text = given.get(path);
    if (!entry.isFile() || text === undefined) return true;
    if (!(await holds(join(upper, path), text))) return true;
  }
  return false;
};
