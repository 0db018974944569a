import { readFileSync, statSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import type { LowerKind } from './classify-root.ts';

/** Mount points of a mountinfo table, proc(5), with its octal escapes undone. */
export const mountPoints = (mountinfo: string): Set<string> =>
  new Set(
    mountinfo
      .split('\n')
      .map((line) => line.split(' ')[4] ?? '')
      .filter((point) => point !== '')
      .map((point) =>
        point.replace(/\\([0-7]{3})/g, (_, octal: string) =>
          String.fromCharCode(Number.parseInt(octal, 8)),
        ),
      ),
  );

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
    const root = statSync(hostRoot, { bigint: true });
    const found = statOrNull(lower);
    if (found === null) return 'missing';
    if (found.dev === root.dev && found.ino === root.ino) return 'host-root';
    const mounted = mountPoints(readFileSync(`${procRoot}/self/mountinfo`, 'utf8'));
    return mounted.has(lower.replace(/(.)\/+$/, '$1')) ? 'other-mount' : 'plain-directory';
  };
  return (lower) => {
    const answer = known.get(lower) ?? look(lower);
    known.set(lower, answer);
    return answer;
  };
};
