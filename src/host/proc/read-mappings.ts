import { lstatSync, readdirSync, statSync } from 'node:fs';
import { DELETED, parseMaps } from '../../core/stale/parse-maps.ts';
import type { MappedFile } from '../../core/stale/parse-maps.ts';
import { isGone, reasonOf } from './error-code.ts';
import { readBounded } from './read-bounded.ts';
import { readProcLink, readStatus } from './read-processes.ts';
import type { SeenProcess } from './read-processes.ts';

/** A file that a process runs or maps. */
export interface OpenedFile extends Omit<MappedFile, 'device' | 'range'> {
  /** Null where only the executable itself was read: then its device is not that of `maps`. */
  device: string | null;
  /** A path that opens the very file, whatever its name shows by now. */
  source: string;
}

export type Mappings =
  | { kind: 'read'; files: OpenedFile[] }
  /** It ended: no finding at all. */
  | { kind: 'gone' }
  | { kind: 'unreadable'; reason: string };

/** The 65,530 mappings that the kernel allows unless it is told otherwise; half a million where they are no files. */
const MAX_MAPS_BYTES = 32 << 20;

const readMaps = (procRoot: string, task: string): string =>
  readBounded(`${procRoot}/${task}/maps`, MAX_MAPS_BYTES);

/** The text of the first thread that has memory: where the main thread has ended it has none. */
const threadMaps = (procRoot: string, pid: number): { task: string; text: string } | null => {
  for (const task of readdirSync(`${procRoot}/${pid}/task`)) {
    if (task === String(pid)) continue;
    try {
      const text = readMaps(procRoot, `${pid}/task/${task}`);
      if (text !== '') return { task, text };
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
  return null;
};

/** A program that is not mapped under its own name any more, or never was. */
const executable = (
  procRoot: string,
  pid: number,
  known: readonly OpenedFile[],
): OpenedFile | null => {
  const source = `${procRoot}/${pid}/exe`;
  const text = readProcLink(source);
  if (text === null || !text.startsWith('/') || text.startsWith('/memfd:')) return null;
  if (known.some((file) => file.text === text)) return null;
  try {
    const inode = statSync(source, { bigint: true }).ino.toString();
    return { device: null, inode, text, executable: true, source };
  } catch {
    return null;
  }
};

const toOpened = (procRoot: string, task: string, file: MappedFile): OpenedFile => {
  const source = `${procRoot}/${task}/map_files/${file.range}`;
  const { device, inode, executable: runs, text } = file;
  // `maps` writes a newline as \012 and leaves backslashes alone; the link says which it is.
  const link = text.includes('\\012') ? readProcLink(source) : null;
  return { device, inode, text: link ?? text, executable: runs, source };
};

const readOnce = (procRoot: string, pid: number): { task: string; text: string } | null => {
  const text = readMaps(procRoot, String(pid));
  return text === '' ? threadMaps(procRoot, pid) : { task: String(pid), text };
};

/** A process that loses its memory between two looks is ending; this many looks settle it. */
const ATTEMPTS = 3;

/** The files that a process maps, and its program. */
export const readMappings = (procRoot: string, { pid, startTime }: SeenProcess): Mappings => {
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const found = readOnce(procRoot, pid);
      if (found !== null) {
        const files = parseMaps(found.text).map((file) => toOpened(procRoot, found.task, file));
        const program = executable(procRoot, Number(found.task), files);
        return { kind: 'read', files: program === null ? files : [...files, program] };
      }
      const now = readStatus(procRoot, pid);
      // A real zombie has no other thread, and neither has a process on its way out.
      if (now === null || now.startTime !== startTime || now.state === 'Z' || now.exiting)
        return { kind: 'gone' };
    }
    return { kind: 'unreadable', reason: 'its memory map is empty' };
  } catch (error) {
    return isGone(error) ? { kind: 'gone' } : { kind: 'unreadable', reason: reasonOf(error) };
  }
};

/**
 * Tells what ` (deleted)` at the end of a path means: a mark of the kernel, or part of the name.
 * Names that end so are rare enough that one which is there settles it.
 */
export const splitDeleted = (
  text: string,
  isThere: (literal: string, stripped: string) => boolean,
): { path: string; deleted: boolean } => {
  if (!text.endsWith(DELETED)) return { path: text, deleted: false };
  const stripped = text.slice(0, -DELETED.length);
  return isThere(text, stripped)
    ? { path: text, deleted: false }
    : { path: stripped, deleted: true };
};

/** Inode number of a path that is not followed; null where there is nothing. */
export const inodeOf = (path: string): string | null => {
  const found = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? null : found.ino.toString();
};
