import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Whether an upper layer holds anything but directories: files, links, whiteouts. */
export const hasOwnFiles = async (directory: string): Promise<boolean> => {
  const entries = await readdir(directory, { withFileTypes: true }).catch((error: unknown) => {
    // A container that was never started has no upper layer yet.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  });
  if (entries.some((entry) => !entry.isDirectory())) return true;
  for (const entry of entries) if (await hasOwnFiles(join(directory, entry.name))) return true;
  return false;
};
