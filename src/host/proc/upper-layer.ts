import { closeSync, constants, lstatSync, opendirSync, openSync, readlinkSync } from 'node:fs';
import type { BigIntStats, Dirent } from 'node:fs';
import type { UpperEntry } from '../../core/stale/judge-shadow.ts';
import { leadsNowhere } from './error-code.ts';
import { identityOf } from './file-content.ts';
import type { XattrNamespace, XattrQuestion, XattrReader } from './overlay-xattrs.ts';

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;

/** How much of one upper layer is looked at. */
export interface UpperLimits {
  entries: number;
  /** Milliseconds for reading its directories. */
  timeMs: number;
}

export const DEFAULT_UPPER_LIMITS: UpperLimits = { entries: 200_000, timeMs: 2_000 };

/** Why an upper layer could not be judged whole. */
export class UpperLayerError extends Error {}

export interface UpperLayer {
  directory: string;
  /** Names in a directory of the layer ('' is its root); null where it has no such directory. */
  list: (path: string) => ReadonlyMap<string, Dirent> | null;
  stat: (path: string) => BigIntStats | null;
  /** What is at a path; null where the layer has nothing. */
  entry: (path: string) => UpperEntry | null;
  /** A path that opens the entry without passing through a link, its identity and its size. */
  source: (path: string) => { path: string; identity: string; size: bigint } | null;
  /** What has to be asked of the attributes of these entries. */
  questions: (paths: readonly string[]) => XattrQuestion[];
  close: () => void;
}

/** Its data lies in the lower layer: an overlay made by metacopy holds only a hole. */
const mayBeMetacopy = (found: BigIntStats): boolean =>
  found.isFile() && found.blocks === 0n && found.size > 0n;

/**
 * Opens the upper layer of one container. What is in it belongs to the container, which may change
 * it meanwhile and put anything there: so each directory is opened from its parent without
 * following links, nothing but directories and regular files is ever opened, and entries and time
 * are bounded. Null where the directory does not exist. Its functions throw `UpperLayerError`
 * beyond the limits, and what the system throws.
 */
export const openUpperLayer = (
  directory: string,
  options: {
    xattrs: XattrReader;
    namespace: XattrNamespace;
    limits: UpperLimits;
    /** Milliseconds, never going back. */
    now: () => number;
  },
): UpperLayer | null => {
  const { xattrs, namespace, limits, now } = options;
  const descriptors = new Map<string, number | null>();
  const lists = new Map<string, ReadonlyMap<string, Dirent>>();
  let entriesLeft = limits.entries;
  let timeLeft = limits.timeMs;
  try {
    descriptors.set('', openSync(directory, O_RDONLY | O_DIRECTORY));
  } catch (error) {
    if (leadsNowhere(error)) return null;
    throw error;
  }

  /** `path` seen from the descriptor of its parent; null where that is no directory. */
  const through = (path: string): string | null => {
    const slash = path.lastIndexOf('/');
    const parent = descriptor(path.slice(0, slash));
    return parent === null ? null : `/proc/self/fd/${parent}/${path.slice(slash + 1)}`;
  };
  const descriptor = (path: string): number | null => {
    const known = descriptors.get(path);
    if (known !== undefined) return known;
    let opened: number | null = null;
    const name = path.slice(path.lastIndexOf('/') + 1);
    // Most paths end here: their first directory is not in the upper layer at all.
    const at =
      list(path.slice(0, path.lastIndexOf('/')))
        ?.get(name)
        ?.isDirectory() === true;
    const location = at ? through(path) : null;
    if (location !== null)
      try {
        opened = openSync(location, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
      } catch (error) {
        if (!leadsNowhere(error)) throw error;
      }
    descriptors.set(path, opened);
    return opened;
  };
  const list = (path: string): ReadonlyMap<string, Dirent> | null => {
    const known = lists.get(path);
    if (known !== undefined) return known;
    const fd = descriptor(path);
    if (fd === null) return null;
    const names = new Map<string, Dirent>();
    const deadline = now() + timeLeft;
    const handle = opendirSync(`/proc/self/fd/${fd}`, { bufferSize: 128 });
    try {
      for (let entry = handle.readSync(); entry !== null; entry = handle.readSync()) {
        names.set(entry.name, entry);
        entriesLeft -= 1;
        if (entriesLeft < 0)
          throw new UpperLayerError(`more than ${limits.entries} entries to look at`);
        if (now() > deadline) throw new UpperLayerError(`not read within ${limits.timeMs} ms`);
      }
    } finally {
      handle.closeSync();
      // Not what the scan does in between: a slow machine does not make an upper layer unreadable.
      timeLeft = deadline - now();
    }
    lists.set(path, names);
    return names;
  };
  const stat = (path: string): BigIntStats | null => {
    const slash = path.lastIndexOf('/');
    if (list(path.slice(0, slash))?.has(path.slice(slash + 1)) !== true) return null;
    const location = through(path);
    if (location === null) return null;
    return lstatSync(location, { bigint: true, throwIfNoEntry: false }) ?? null;
  };
  const question = (path: string, found: BigIntStats): XattrQuestion => ({
    path: directory + path,
    namespace,
    identity: identityOf(found),
  });
  const attributes = (path: string, found: BigIntStats) => {
    const answer = xattrs.read(question(path, found));
    if ('reason' in answer) throw new UpperLayerError(`${path}: ${answer.reason}`);
    return answer;
  };
  /** Since Linux 6.7 a whiteout may be an empty file with an attribute, in a marked directory. */
  const isMarkedWhiteout = (path: string, found: BigIntStats): boolean => {
    const parent = path.slice(0, path.lastIndexOf('/'));
    const above = parent === '' ? null : stat(parent);
    if (found.size > 0n || above === null || attributes(parent, above).opaque !== 'x') return false;
    return attributes(path, found).whiteout;
  };
  const entry = (path: string): UpperEntry | null => {
    const found = stat(path);
    if (found === null) return null;
    if (found.isCharacterDevice() && found.rdev === 0n) return { type: 'whiteout' };
    if (found.isDirectory()) {
      const { opaque, redirect } = attributes(path, found);
      return { type: 'directory', opaque: opaque === 'y', redirect };
    }
    if (found.isSymbolicLink())
      return { type: 'symlink', target: readlinkSync(through(path) ?? '') };
    if (!found.isFile()) return { type: 'other' };
    if (mayBeMetacopy(found)) {
      const { metacopy, redirect } = attributes(path, found);
      if (metacopy) return { type: 'file', metadataOnly: true, redirect };
    }
    if (isMarkedWhiteout(path, found)) return { type: 'whiteout' };
    return { type: 'file', metadataOnly: false, redirect: null };
  };
  return {
    directory,
    list,
    stat,
    entry,
    source: (path) => {
      const found = stat(path);
      const at = through(path);
      return found === null || at === null
        ? null
        : { path: at, identity: identityOf(found), size: found.size };
    },
    questions: (paths) =>
      paths.flatMap((path) => {
        const found = stat(path);
        const asks = found !== null && (found.isDirectory() || mayBeMetacopy(found));
        return asks ? [question(path, found)] : [];
      }),
    close: () => {
      for (const fd of descriptors.values()) if (fd !== null) closeSync(fd);
      descriptors.clear();
    },
  };
};
