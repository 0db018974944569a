import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { hasCode } from '../core/error-code.ts';
import { errorText } from '../core/error-text.ts';
import { Manifest, manifestNames } from '../core/platforms/manifest.ts';

export interface FoundManifest {
  path: string;
  manifest: Manifest;
}

const SUFFIX = '.json';

const readManifest = async (path: string): Promise<Manifest | null> => {
  try {
    const read = Manifest.safeParse(JSON.parse(await readFile(path, 'utf8')));
    if (!read.success) throw new Error(z.prettifyError(read.error));
    return read.data;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw new Error(`manifest ${path}: ${errorText(error)}`, { cause: error });
  }
};

/**
 * The manifest of a platform, from the first of the directories that has one; null: none has. Throws where it is no manifest, or
 * another platform's.
 */
export const findManifest = async (
  directories: readonly string[],
  platform: string,
): Promise<FoundManifest | null> => {
  for (const name of manifestNames(platform))
    for (const directory of directories) {
      const path = join(directory, `${name}${SUFFIX}`);
      const manifest = await readManifest(path);
      if (manifest === null) continue;
      if (manifest.platform !== name)
        throw new Error(`manifest ${path}: it is of ${manifest.platform}, not of ${name}`);
      return { path, manifest };
    }
  return null;
};

/** The platforms that there is a manifest of. */
export const listManifests = async (directories: readonly string[]): Promise<string[]> => {
  const names = await Promise.all(
    directories.map((directory) =>
      readdir(directory).catch((error: unknown) => {
        if (hasCode(error, 'ENOENT')) return [];
        throw error;
      }),
    ),
  );
  const manifests = names.flat().filter((name) => name.endsWith(SUFFIX));
  return [...new Set(manifests.map((name) => name.slice(0, -SUFFIX.length)))].sort();
};
