import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import type { LowerEntry } from '../../core/stale/judge-shadow.ts';
import { leadsNowhere } from './error-code.ts';

/** The files that containers share, as they are now. Paths are those in a container. */
export interface LowerLayer {
  directory: string;
  stat: (path: string) => BigIntStats | null;
  entry: (path: string) => LowerEntry | null;
  /** Where the file lies on the host; null when its directory does not exist. */
  hostPath: (path: string) => string | null;
  /** Links in the root directory that stand for a directory: `/lib` → `/usr/lib`. */
  aliases: () => ReadonlyMap<string, string>;
}

const MAX_LINKS = 40;
/** Programs in containers may name any path: what does not exist is not remembered for ever. */
const MAX_REMEMBERED = 200_000;

const lstat = (path: string): BigIntStats | null => {
  try {
    return lstatSync(path, { bigint: true, throwIfNoEntry: false }) ?? null;
  } catch (error) {
    // Below something that is no directory (any more) there is nothing.
    if (leadsNowhere(error)) return null;
    throw error;
  }
};

/**
 * Looks into a lower layer for the time of one scan, remembering what it saw. Links in directories
 * are followed inside the layer, as a container would, not as the host's root has them. Its
 * functions throw what the system throws, but for files that do not exist.
 */
export const openLowerLayer = (directory: string): LowerLayer => {
  const prefix = directory === '/' ? '' : directory;
  const directories = new Map<string, string | null>([['', '']]);
  const stats = new Map<string, BigIntStats | null>();

  /** The directory without links in it, '' for the root; null when it does not exist. */
  const resolve = (path: string, links: number): string | null => {
    const known = directories.get(path);
    if (known !== undefined) return known;
    if (links > MAX_LINKS) return null;
    const slash = path.lastIndexOf('/');
    const parent = resolve(path.slice(0, slash), links);
    const name = path.slice(slash + 1);
    let real: string | null = null;
    if (parent !== null) {
      if (name === '' || name === '.') real = parent;
      else if (name === '..') real = parent.slice(0, Math.max(0, parent.lastIndexOf('/')));
      else {
        const found = lstat(`${prefix}${parent}/${name}`);
        if (found?.isDirectory() === true) real = `${parent}/${name}`;
        else if (found?.isSymbolicLink() === true) {
          const target = readlinkSync(`${prefix}${parent}/${name}`);
          real = resolve(target.startsWith('/') ? target : `${parent}/${target}`, links + 1);
        }
      }
    }
    if (directories.size >= MAX_REMEMBERED) {
      directories.clear();
      directories.set('', '');
    }
    directories.set(path, real);
    return real;
  };

  const hostPath = (path: string): string | null => {
    const slash = path.lastIndexOf('/');
    const parent = resolve(path.slice(0, slash), 0);
    return parent === null ? null : `${prefix}${parent}${path.slice(slash)}`;
  };
  const stat = (path: string): BigIntStats | null => {
    const known = stats.get(path);
    if (known !== undefined) return known;
    const at = hostPath(path);
    const found = at === null ? null : lstat(at);
    if (stats.size >= MAX_REMEMBERED) stats.clear();
    stats.set(path, found);
    return found;
  };
  return {
    directory,
    stat,
    hostPath,
    entry: (path) => {
      const found = stat(path);
      if (found === null) return null;
      if (found.isDirectory()) return { type: 'directory' };
      if (found.isFile()) return { type: 'file' };
      if (found.isSymbolicLink())
        return { type: 'symlink', target: readlinkSync(hostPath(path) ?? '') };
      return { type: 'other' };
    },
    aliases: () =>
      new Map(
        readdirSync(directory, { withFileTypes: true })
          .filter((entry) => entry.isSymbolicLink())
          .flatMap(({ name }): [string, string][] => {
            const real = resolve(`/${name}`, 0);
            return real === null || real === '' ? [] : [[`/${name}`, real]];
          }),
      ),
  };
};
