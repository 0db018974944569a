import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

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
    } else if (!entry.isFile() || given.get(path) === undefined) return true;
    else if ((await readFile(join(upper, path), 'utf8')) !== given.get(path)) return true;
  }
  return false;
};
