import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { hasCode } from '../../../core/error-code.ts';
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
  /** Answers whether there was one. */
  remove: (name: ContainerName) => Promise<boolean>;
  /** `problems`: files there that are no notes, each in a sentence. They park nothing. */
  list: () => Promise<{ notes: ParkedNote[]; problems: string[] }>;
}

/** Where they lie, below a host's data directory. */
export const parkedPath = (dataDirectory: string): string => join(dataDirectory, 'parked');

/**
 * Notes as one small JSON file for each container, `<directory>/<name>`: written whole or not at
 * all, readable without an agent, and watchable.
 */
export const parkedDirectory = (directory: string): ParkedStore => ({
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
  remove: (name) =>
    rm(join(directory, name)).then(
      () => true,
      (error: unknown) => {
        if (hasCode(error, 'ENOENT')) return false;
        throw error;
      },
    ),
  list: async () => {
    const names = await readdir(directory).catch((error: unknown) => {
      if (hasCode(error, 'ENOENT')) return [];
      throw error;
    });
    const notes: ParkedNote[] = [];
    const problems: string[] = [];
    for (const name of names.filter((one) => !one.startsWith('.'))) {
      const path = join(directory, name);
      try {
        const note = ParkedNote.parse(JSON.parse(await readFile(path, 'utf8')));
        if (note.name === name) notes.push(note);
        else problems.push(`${path} is a note on ${note.name}: remove it`);
      } catch (error) {
        // Taken back between the list and the look.
        if (hasCode(error, 'ENOENT')) continue;
        problems.push(`${path} is no note on a parked container: remove it, and park again`);
      }
    }
    return { notes, problems };
  },
});
