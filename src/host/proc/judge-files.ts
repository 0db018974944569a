import { statSync } from 'node:fs';
import { locateMapping } from '../../core/stale/locate-mapping.ts';
import type { RootDevices } from '../../core/stale/locate-mapping.ts';
import { judgeContent, judgeMapping } from '../../core/stale/judge-mapping.ts';
import type { Mount } from '../../core/stale/parse-mountinfo.ts';
import { EffortError } from './effort.ts';
import type { Effort } from './effort.ts';
import { isGone, reasonOf } from './error-code.ts';
import { identityOf } from './file-content.ts';
import type { ContentSource } from './file-content.ts';
import { findInUpper } from './find-in-upper.ts';
import type { LowerLayer } from './lower-layer.ts';
import { splitDeleted } from './read-mappings.ts';
import type { OpenedFile } from './read-mappings.ts';

import type { Packaged } from './host-rules.ts';
import type { Surroundings } from './scan-surroundings.ts';
import type { UpperLayer } from './upper-layer.ts';

/** One container's root as its processes see it. */
export interface RunningRoot {
  lower: LowerLayer;
  upper: UpperLayer | null;
  packaged: Packaged;
  devices: RootDevices;
  effort: Effort;
}

export type FileVerdict =
  | { kind: 'fine' }
  | { kind: 'stale'; path: string; how: 'replaced' | 'removed' }
  | { kind: 'unreadable'; path: string; reason: string }
  /** The process that maps it has ended before its content could be read. */
  | { kind: 'gone' };

const fine: FileVerdict = { kind: 'fine' };

/** A name whose bytes are not UTF-8 came out changed: it cannot be looked up. */
const BROKEN = '\ufffd';

/**
 * Whether a mapping is code. Data counts only where a package ships it (a Java runtime's modules,
 * say): caches that the host makes anew by itself are nobody's patch.
 */
const counts = (packaged: Packaged, path: string, executable: boolean): boolean =>
  executable || !('paths' in packaged) || packaged.paths.packageOf(path) !== null;

const compare = (
  { memory }: Surroundings,
  root: RunningRoot,
  file: OpenedFile,
  where: { path: string; lowerPath: string; copied: boolean },
): FileVerdict => {
  const { lower, upper, effort } = root;
  const lowerStat = lower.stat(where.lowerPath);
  const lowerAt = lower.hostPath(where.lowerPath);
  const own = where.copied ? (upper?.source(where.path) ?? null) : null;
  const stale: FileVerdict = { kind: 'stale', path: where.path, how: 'replaced' };
  try {
    const size = where.copied ? statSync(file.source, { bigint: true }).size : null;
    const mapped = { path: file.source, follow: true, identity: null, size };
    const same = (other: Omit<ContentSource, 'follow'>): boolean =>
      memory.contents.same(mapped, { ...other, follow: false }, effort);
    const sameAsLower =
      lowerStat?.isFile() === true &&
      lowerAt !== null &&
      same({ path: lowerAt, identity: identityOf(lowerStat), size: lowerStat.size });
    if (sameAsLower) return fine;
    const sameAsUpper = own !== null && same(own);
    return judgeContent({ sameAsLower, sameAsUpper }) === 'replaced' ? stale : fine;
  } catch (error) {
    if (error instanceof EffortError) throw error;
    if (isGone(error)) return { kind: 'gone' };
    return { kind: 'unreadable', path: where.path, reason: reasonOf(error) };
  }
};

/** Judges one file that a process of a container has mapped or runs. Throws what the layers and `effort` throw. */
export const judgeFile = (
  around: Surroundings,
  root: RunningRoot,
  mounts: readonly Mount[],
  file: OpenedFile,
): FileVerdict => {
  const { lower, upper, packaged, devices } = root;
  const located = locateMapping(file.text, file.device, mounts, devices);
  if (located === null) return fine;
  if (located.includes(BROKEN))
    return file.executable
      ? { kind: 'unreadable', path: located, reason: 'its name is not UTF-8' }
      : fine;
  const { path, deleted } = splitDeleted(located, (literal, stripped) => {
    if (lower.stat(literal) !== null) return true;
    if (upper === null || lower.stat(stripped) !== null) return false;
    return findInUpper(upper, literal).state === 'copy';
  });
  const { state, lowerPath } =
    upper === null ? ({ state: 'none', lowerPath: path } as const) : findInUpper(upper, path);
  if (!counts(packaged, lowerPath, file.executable)) return fine;
  const lowerInode = lower.stat(lowerPath)?.ino.toString() ?? null;
  const verdict = judgeMapping({ inode: file.inode, deleted, upper: state, lowerInode });
  switch (verdict) {
    case 'current':
    case 'own':
      return fine;
    case 'replaced':
    case 'removed':
      return { kind: 'stale', path, how: verdict };
    case 'compare':
      return compare(around, root, file, { path, lowerPath, copied: state === 'copy' });
  }
};
