import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ContainerName } from '../../../core/ids.ts';

/** Why a container is deliberately stopped: taken out of its service's count. */
export const ParkedNote = z.strictObject({
  name: ContainerName,
  reason: z.string(),
  by: z.string(),
  /** Milliseconds since 1970. */
  atMs: z.int(),
});
export type ParkedNote = z.infer<typeof ParkedNote>;

/** Where notes on parked containers are kept; the agent reports them with its observations. */
export interface ParkedStore {
  put: (note: ParkedNote) => Promise<void>;
  remove: (name: ContainerName) => Promise<void>;
  list: () => Promise<ParkedNote[]>;
}

export const DEFAULT_PARKED_DIRECTORY = '/var/lib/groundswell/parked';

/**
 * Notes as one small JSON file for each container, `<directory>/<name>`: written whole or not at
 * all, readable without an agent, and watchable. `list` throws when a file is no note, naming it.
 */
export const parkedDirectory = (directory: string = DEFAULT_PARKED_DIRECTORY): ParkedStore => ({
  put: async (note) => {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const path = join(directory, note.name);
    // Names begin with a letter or digit, so that this is never one.
    const temporary = join(directory, `.${note.name}.new`);
    const file = await open(temporary, 'w', 0o600);
    try {
      await file.writeFile(`${JSON.stringify(note)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  },
  remove: (name) => rm(join(directory, name), { force: true }),
  list: async () => {
    const names = await readdir(directory).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    });
    const read = async (name: string): Promise<ParkedNote> => {
      const path = join(directory, name);
      const text = await readFile(path, 'utf8');
      try {
        return ParkedNote.parse(JSON.parse(text));
      } catch {
        throw new Error(`${path} is no note on a parked container: remove it, and park again`);
      }
    };
    return Promise.all(names.filter((name) => !name.startsWith('.')).map(read));
  },
});
