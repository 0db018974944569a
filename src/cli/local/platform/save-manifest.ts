import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Manifest } from '../../../core/platforms/manifest.ts';

/** Writes a file that is whole or as before. */
export const saveManifest = async (path: string, manifest: Manifest): Promise<void> => {
  await mkdir(dirname(path), { recursive: true });
  const beside = `${path}.new`;
  try {
    await writeFile(beside, `${JSON.stringify(manifest, null, 2)}\n`);
    await rename(beside, path);
  } finally {
    await rm(beside, { force: true });
  }
};
