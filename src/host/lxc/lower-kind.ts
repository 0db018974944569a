import { readFileSync, statSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { mountOf, parseMountinfo } from '../../core/stale/parse-mountinfo.ts';
import type { LowerKind } from './classify-root.ts';

const statOrNull = (path: string): BigIntStats | null => {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return null;
  }
};

/**
 * Tells bind mounts of `hostRoot` from other directories. Device and inode decide: a bind mount
 * shows those of what it shows, while a bind mount that nobody made is an empty directory with
 * its own inode. Each directory is looked at once per answer of this function.
 */
export const lowerKindReader = (
  hostRoot: string,
  procRoot: string,
): ((lower: string) => LowerKind) => {
  const known = new Map<string, LowerKind>();
  const look = (lower: string): LowerKind => {
    const mounts = parseMountinfo(readFileSync(`${procRoot}/self/mountinfo`, 'utf8'));
    const path = lower.replace(/(.)\/+$/, '$1');
    const [mount, rootMount] = [mountOf(mounts, path), mountOf(mounts, hostRoot)];
    const otherwise = mount?.point === path ? 'other-mount' : 'plain-directory';
    // Not the host's root then, and to look at it could hang for ever (NFS, FUSE).
    if (mount !== null && rootMount !== null && mount.device !== rootMount.device) return otherwise;
    const root = statSync(hostRoot, { bigint: true });
    const found = statOrNull(lower);
    if (found === null) return 'missing';
    return found.dev === root.dev && found.ino === root.ino ? 'host-root' : otherwise;
  };
  return (lower) => {
    const answer = known.get(lower) ?? look(lower);
    known.set(lower, answer);
    return answer;
  };
};
