import { closeSync, constants, fstatSync, openSync, statfsSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { posix } from 'node:path';
import type { Mount } from '../../core/stale/parse-mountinfo.ts';
import type { Effort } from './effort.ts';
import { identityOf } from './file-content.ts';
import type { LowerLayer } from './lower-layer.ts';
import { firstNames, searchPath } from './module-paths.ts';
import type { Names, SourceFile, SourceView } from './program-sources.ts';
import { readUpTo } from './read-program.ts';
import { UpperLayerError } from './upper-layer.ts';
import type { UpperLayer } from './upper-layer.ts';

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;

/** As many as the kernel follows. */
const MAX_LINKS = 40;
/** Names and links that are gone through in one container. */
const MAX_STEPS = 400_000;
const MAX_DIRECTORIES = 50_000;
/** More than any directory of modules holds. */
const MAX_NAMES = 20_000;
/** Sources of one container, and the longest of them. */
const MAX_BYTES = 64 << 20;
const MAX_SOURCE_BYTES = 4 << 20;

/** The host's root as containers share it, for the time of one scan. */
export interface SharedRoot {
  lower: LowerLayer;
  /** Names in a directory of it, by its path without links. */
  names: (path: string) => ReadonlySet<string> | null;
  /** Whether something is mounted there on the host: an overlay does not show it, and it may not answer. */
  isMount: (path: string) => boolean;
}

export const sharedRoot = (lower: LowerLayer, hostMounts: readonly Mount[]): SharedRoot => {
  const prefix = lower.directory === '/' ? '' : lower.directory;
  const points = new Set(hostMounts.map(({ point }) => point));
  const known = new Map<string, ReadonlySet<string> | null>();
  return {
    lower,
    isMount: (path) => points.has(prefix + path),
    names: (path) => {
      const found = known.get(path);
      if (found !== undefined) return found;
      const at = path === '' ? lower.directory : lower.hostPath(path);
      const names = at === null ? null : (firstNames(at, MAX_NAMES)?.names ?? null);
      if (known.size >= MAX_DIRECTORIES) known.clear();
      known.set(path, names);
      return names;
    },
  };
};

/** A directory of the container, by its path without links. */
interface Place {
  path: string;
  /** Whether the lower layer has a directory there as well. */
  inLower: boolean;
}

type Step =
  | { kind: 'directory'; place: Place }
  | { kind: 'link'; target: string }
  | { kind: 'file'; path: string; own: boolean };

const kindOf = (path: string): number => statfsSync(path).type;

/** The same file as was seen, or none: between two looks another may have been put there. */
const readSame = (path: string, seen: BigIntStats, layer: string): string | null => {
  try {
    const fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      const found = fstatSync(fd, { bigint: true });
      const same = found.isFile() && identityOf(found) === identityOf(seen);
      // A layer ends where a file system of another kind begins: that may be one whose files never end.
      return same && kindOf(`/proc/self/fd/${fd}`) === kindOf(layer)
        ? readUpTo(fd, Number(seen.size))
        : null;
    } finally {
      closeSync(fd);
    }
  } catch {
    return null;
  }
};

/** Its data lies in the lower layer, as far as can be told without asking for attributes. */
const isHole = (found: BigIntStats | null): boolean =>
  found !== null && found.blocks === 0n && found.size > 0n;

/**
 * A container's files as its two layers show them together, by their structure alone: links are followed
 * from name to name inside the layers, never by the kernel, so that none leads out of them. Attributes
 * are not asked for: what an opaque or moved directory hides is settled by `findInUpper`, for the few files
 * that matter. Throws `UpperLayerError` beyond its bounds, and what the layers and `effort` throw.
 */
export const mergedRoot = (
  upper: UpperLayer,
  { lower, names: lowerNames, isMount }: SharedRoot,
  effort: Effort,
): SourceView => {
  const top: Place = { path: '', inLower: true };
  const steps = new Map<string, Step | null>([['/', { kind: 'directory', place: top }]]);
  const names = new Map<string, Names | null>();
  let stepsLeft = MAX_STEPS;
  let bytesLeft = MAX_BYTES;

  const count = (): void => {
    stepsLeft -= 1;
    effort.spend(0);
    if (stepsLeft < 0) throw new UpperLayerError(`more than ${MAX_STEPS} names to go through`);
  };
  const step = (parent: Place, name: string): Step | null => {
    count();
    const path = `${parent.path}/${name}`;
    const own = upper.list(parent.path)?.get(name);
    const below = parent.inLower && !isMount(path) ? lower.stat(path) : null;
    if (own?.isDirectory() === true)
      return { kind: 'directory', place: { path, inLower: below?.isDirectory() === true } };
    if (own?.isSymbolicLink() === true) {
      const entry = upper.entry(path);
      return entry?.type === 'symlink' ? { kind: 'link', target: entry.target } : null;
    }
    if (own !== undefined) {
      if (!own.isFile()) return null;
      const shown = below?.isFile() === true && isHole(upper.stat(path));
      return { kind: 'file', path, own: !shown };
    }
    if (below === null) return null;
    if (below.isDirectory()) return { kind: 'directory', place: { path, inLower: true } };
    if (below.isFile()) return { kind: 'file', path, own: false };
    const entry = lower.entry(path);
    return entry?.type === 'symlink' ? { kind: 'link', target: entry.target } : null;
  };

  /** What a path leads to, with each link in it followed. */
  const walk = (path: string): Step | null => {
    let stack = [top];
    let waiting = path.split('/').reverse();
    let links = 0;
    while (waiting.length > 0) {
      count();
      const name = waiting.pop() ?? '';
      if (name === '' || name === '.') continue;
      if (name === '..') {
        if (stack.length > 1) stack.pop();
        continue;
      }
      const found = step(stack.at(-1) ?? top, name);
      if (found === null) return null;
      if (found.kind === 'directory') stack.push(found.place);
      else if (found.kind === 'file') return waiting.length === 0 ? found : null;
      else {
        links += 1;
        if (links > MAX_LINKS) return null;
        if (found.target.startsWith('/')) stack = [top];
        waiting = [...waiting, ...found.target.split('/').reverse()];
      }
    }
    return { kind: 'directory', place: stack.at(-1) ?? top };
  };
  const find = (path: string): Step | null => {
    const known = steps.get(path);
    if (known !== undefined) return known;
    const parent = directoryAt(posix.dirname(path));
    const found = parent === null ? null : step(parent, posix.basename(path));
    return found?.kind === 'link' ? walk(path) : found;
  };
  const directoryAt = (path: string): Place | null => {
    const found = find(path);
    if (!steps.has(path)) {
      if (steps.size >= MAX_DIRECTORIES)
        throw new UpperLayerError(`more than ${MAX_DIRECTORIES} directories to look into`);
      steps.set(path, found);
    }
    return found?.kind === 'directory' ? found.place : null;
  };

  const read = (path: string, own: boolean, found: BigIntStats): string | null => {
    const at = own ? (upper.source(path)?.path ?? null) : lower.hostPath(path);
    if (at === null) return null;
    if (found.size > BigInt(MAX_SOURCE_BYTES)) return '';
    bytesLeft -= Number(found.size);
    if (bytesLeft < 0) throw new UpperLayerError(`more than ${MAX_BYTES} bytes of sources`);
    effort.spend(Number(found.size));
    return readSame(at, found, own ? upper.directory : lower.directory);
  };

  return {
    look: (path): SourceFile | null => {
      const at = find(path);
      if (at?.kind !== 'file') return null;
      const found = at.own ? upper.stat(at.path) : lower.stat(at.path);
      if (found?.isFile() !== true) return null;
      return {
        path: at.path,
        own: at.own,
        identity: identityOf(found),
        changedMs: Number(found.ctimeNs / 1_000_000n),
        read: () => read(at.path, at.own, found),
      };
    },
    names: (directory) => {
      const known = names.get(directory);
      if (known !== undefined) return known;
      const place = directoryAt(directory);
      const own = place === null ? null : upper.list(place.path);
      const below = place?.inLower === true ? lowerNames(place.path) : null;
      const both =
        place === null
          ? null
          : { has: (name: string) => own?.has(name) === true || below?.has(name) === true };
      names.set(directory, both);
      return both;
    },
    searchPath: (interpreter) =>
      searchPath(interpreter, (directory) => {
        const place = directoryAt(directory);
        if (place === null) return [];
        const below = place.inLower ? lowerNames(place.path) : null;
        return [...(below ?? []), ...(upper.list(place.path)?.keys() ?? [])];
      }),
  };
};
