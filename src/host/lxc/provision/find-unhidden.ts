import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerName } from '../../../core/ids.ts';
import type { RuntimeContainer } from '../../runtime.ts';
import { readOverlayMarks } from './overlay-marks.ts';
import { privateDirectories } from './private-directories.ts';
import type { PrivatePlaces } from './private-directories.ts';

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
 * What an upper layer has along a path. `end`: what is no directory and ends it, a whiteout, file or link, hides
 * whatever the lower layer has, unless it is a file that borrows its content from there.
 */
interface Along {
  directories: string[];
  end: string | null;
}

const along = async (upper: string, path: string): Promise<Along> => {
  const directories: string[] = [];
  for (const part of pathAndParents(path)) {
    const found = await lstat(join(upper, part)).catch(() => null);
    if (found === null) break;
    if (!found.isDirectory()) return { directories, end: join(upper, part) };
    directories.push(join(upper, part));
  }
  return { directories, end: null };
};

export type LookedInto = Pick<RuntimeContainer, 'name' | 'root'>;

/**
 * Which containers on the host's root can still look into private directories, and into which;
 * containers with another root are left out. Running containers may be looked at. One child
 * process for all. Throws ProvisionError when the marks cannot be read.
 */
export const findUnhidden = async (
  containers: readonly LookedInto[],
  places: PrivatePlaces,
): Promise<UnhiddenContainer[]> => {
  const wanted = await privateDirectories(places);
  const looked = await Promise.all(
    containers.map(async ({ name, root }) => {
      if (root.kind === 'other') return { name, entries: [] };
      const entries = wanted.map(async ({ path }) => ({
        path,
        ...(await along(root.upper, path)),
      }));
      return { name, entries: await Promise.all(entries) };
    }),
  );
  const inQuestion = looked.flatMap(({ entries }) =>
    entries.flatMap(({ directories, end }) => (end === null ? directories : [end])),
  );
  const marks = await readOverlayMarks([...new Set(inQuestion)]);
  const isHidden = ({ directories, end }: Along): boolean =>
    end === null
      ? directories.some((path) => marks.get(path)?.has('opaque') === true)
      : marks.get(end)?.has('metacopy') === false;
  return looked
    .map(({ name, entries }) => ({
      name,
      paths: entries.filter((entry) => !isHidden(entry)).map(({ path }) => path),
    }))
    .filter(({ paths }) => paths.length > 0);
};
