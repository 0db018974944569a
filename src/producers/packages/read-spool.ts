import { constants } from 'node:fs';
import { lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../../core/error-code.ts';

/** One file that the hook left. Only that it is there counts; the package database tells the rest. */
export interface SpoolFile {
  path: string;
  mtimeMs: number;
}

export interface Spool {
  files: SpoolFile[];
  /** What is not from the hook; it was moved aside, or deleted where enough of it lies there. */
  refused: { path: string; reason: string }[];
}

export interface SpoolOptions {
  directory: string;
  /** User id that the hook runs as; anybody else's files are refused. */
  owner: number;
}

/** A release upgrade describes some thousand packages in about a megabyte. */
const MAX_BYTES = 8 * 1024 * 1024;
const KEEP_REFUSED = 50;
const ASIDE = '.refused';
const HEADER =
  /^groundswell-hook 1 (?:pre-install-pkgs|post-invoke|dpkg-post-invoke|post-transaction) \S*\n/;
/** The hook's own name for a file that it is still writing. */
const UNFINISHED = /^\.[a-z-]+\.\d+\.[\d.]+$/;
const UNFINISHED_MS = 60 * 60 * 1000;

type Looked = { kind: 'file'; mtimeMs: number } | { kind: 'refused'; reason: string };

const look = async (path: string, owner: number): Promise<Looked> => {
  const refuse = (reason: string): Looked => ({ kind: 'refused', reason });
  // Not through a link, and without waiting for the other end of a pipe.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags).catch((error: unknown) => {
    if (hasCode(error, 'ELOOP')) return 'a link';
    if (hasCode(error, 'ENXIO')) return 'a socket';
    throw error;
  });
  if (typeof file === 'string') return refuse(`it is ${file}`);
  try {
    const stats = await file.stat();
    if (!stats.isFile()) return refuse('it is no regular file');
    if (stats.uid !== owner) return refuse(`it belongs to user ${stats.uid}, not ${owner}`);
    if (stats.size > MAX_BYTES) return refuse(`it has ${stats.size} bytes`);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(256), 0, 256, 0);
    if (!HEADER.test(buffer.toString('latin1', 0, bytesRead)))
      return refuse('it does not begin as the hook writes it');
    return { kind: 'file', mtimeMs: stats.mtimeMs };
  } finally {
    await file.close();
  }
};

/**
 * How long ago a hook last wrote a file that it has not finished, in ms; null: no hook's file. What it has written
 * so far says nothing: at first that is not even the header.
 */
const unfinishedForMs = async (path: string, owner: number): Promise<number | null> => {
  const stats = await lstat(path);
  return stats.isFile() && stats.uid === owner ? Date.now() - stats.mtimeMs : null;
};

const putAside = async (directory: string, name: string): Promise<void> => {
  const aside = join(directory, ASIDE);
  await mkdir(aside, { mode: 0o700, recursive: true });
  const kept = await readdir(aside);
  const from = join(directory, name);
  if (kept.length < KEEP_REFUSED) await rename(from, join(aside, name));
  // Not into directories: what somebody mounted or linked there is not ours to delete.
  else await rm(from, { force: true });
};

/**
 * Reads the spool. No directory is an empty spool. Links are not followed; what is no regular file
 * of the hook's owner, too big, or not what the hook writes, is refused and set aside. Throws when
 * the directory is there and cannot be read.
 */
export const readSpool = async ({ directory, owner }: SpoolOptions): Promise<Spool> => {
  const spool: Spool = { files: [], refused: [] };
  const names = await readdir(directory).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return [];
    throw error;
  });
  for (const name of names.sort()) {
    if (name === ASIDE) continue;
    const path = join(directory, name);
    try {
      const forMs = UNFINISHED.test(name) ? await unfinishedForMs(path, owner) : null;
      if (forMs !== null) {
        // A hook is at work on it right now, or was killed long ago.
        if (forMs >= UNFINISHED_MS) await rm(path, { force: true });
        continue;
      }
      const found = await look(path, owner);
      if (found.kind === 'file') spool.files.push({ path, mtimeMs: found.mtimeMs });
      else {
        spool.refused.push({ path, reason: found.reason });
        await putAside(directory, name);
      }
    } catch (error) {
      if (hasCode(error, 'ENOENT')) continue; // gone meanwhile
      spool.refused.push({ path, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  return spool;
};

/** Takes away files that have been dealt with. */
export const removeSpoolFiles = async (files: readonly SpoolFile[]): Promise<void> => {
  for (const { path } of files) await rm(path, { force: true });
};
