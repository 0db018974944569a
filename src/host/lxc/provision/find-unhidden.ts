import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerName } from '../../../core/ids.ts';
import type { RuntimeContainer } from '../../runtime.ts';
import { readOverlayMarks } from './overlay-marks.ts';
import { privateDirectories } from './private-directories.ts';

/** A container that can look into directories of the host that are private. */
export interface UnhiddenContainer {
  name: ContainerName;
  paths: string[];
}

/** `/var/lib/lxc` → `/var`, `/var/lib`, `/var/lib/lxc`. */
export const pathAndParents = (path: string): string[] => {
  const parts = path.split('/').slice(1);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`);
};

/**
 * The upper layer's directories along `path`, and whether something else than a directory ends
 * them: a whiteout, file or link there hides whatever the lower layer has.
 */
const directoriesAlong = async (
  upper: string,
  path: string,
): Promise<{ directories: string[]; covered: boolean }> => {
  const directories: string[] = [];
  for (const part of pathAndParents(path)) {
    const found = await lstat(join(upper, part)).catch(() => null);
    if (found === null) break;
    if (!found.isDirectory()) return { directories, covered: true };
    directories.push(join(upper, part));
  }
  return { directories, covered: false };
};

export type LookedInto = Pick<RuntimeContainer, 'name' | 'root'>;

/**
 * Which containers on the host's root can still look into private directories, and into which;
 * containers with another root are left out. Running containers may be looked at. One child
 * process for all. Throws ProvisionError when the marks cannot be read.
 */
export const findUnhidden = async (
  containers: readonly LookedInto[],
  lxcPath: string,
): Promise<UnhiddenContainer[]> => {
  const wanted = await privateDirectories(lxcPath);
  const looked = await Promise.all(
    containers.map(async ({ name, root }) => {
      if (root.kind === 'other') return { name, entries: [] };
      const entries = wanted.map(async ({ path }) => ({
        path,
        ...(await directoriesAlong(root.upper, path)),
      }));
      return { name, entries: await Promise.all(entries) };
    }),
  );
  const inQuestion = looked.flatMap(({ entries }) =>
    entries.filter(({ covered }) => !covered).flatMap(({ directories }) => directories),
  );
  const marks = await readOverlayMarks([...new Set(inQuestion)]);
  const isOpaque = (path: string): boolean => marks.get(path)?.has('opaque') ?? false;
  return looked
    .map(({ name, entries }) => ({
      name,
      paths: entries
        .filter(({ covered, directories }) => !covered && !directories.some(isOpaque))
        .map(({ path }) => path),
    }))
    .filter(({ paths }) => paths.length > 0);
};
