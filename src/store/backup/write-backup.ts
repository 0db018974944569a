import { chmod, lstat, mkdir, open, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { hasCode } from '../../core/error-code.ts';
import {
  auditName,
  keysName,
  manifestName,
  readThrough,
  segmentFile,
  storeName,
  syncPath,
} from './manifest.ts';
import type { BackedUpFile, BackupManifest } from './manifest.ts';
import { refuseUnderWay } from './under-way.ts';
import { copyStore, examineStore, markCopy } from './store-file.ts';

export interface BackupOptions {
  /** The server's part of the data directory. */
  serverDirectory: string;
  /** Where the backup is made: new, or empty. */
  directory: string;
  /** Of this program. */
  program: string;
  now: Date;
}

export interface MadeBackup {
  directory: string;
  manifest: BackupManifest;
  /** Sealed files that the store names and that somebody has moved away: the backup is without them as well. */
  missing: string[];
}

const isThere = async (path: string): Promise<boolean> =>
  (await lstat(path).catch(() => null)) !== null;

/** Make the directory, or take it where it is empty; answers whether it was made. */
const takeDirectory = async (directory: string): Promise<boolean> => {
  const made = (await mkdir(directory, { recursive: true, mode: 0o700 })) !== undefined;
  const names = await readdir(directory);
  if (names.length > 0)
    throw new Error(
      names.includes(manifestName) || !names.includes(storeName)
        ? `${directory} is not empty: name another directory, each backup wants its own`
        : `${directory} is not empty: it holds a backup that was broken off (there is no ${manifestName}): remove it, or name another directory`,
    );
  await chmod(directory, 0o700);
  return made;
};

/** What the store names, and what earlier restores have put aside, of the files that are there. */
const sealedFiles = async (directory: string, named: readonly string[]): Promise<string[]> => {
  const there = await readdir(directory).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  });
  const wanted = new Set(named);
  return there.filter(
    (name) => segmentFile.test(name) && (wanted.has(name) || !name.endsWith('.gz')),
  );
};

const writeManifest = async (directory: string, manifest: BackupManifest): Promise<void> => {
  const path = join(directory, manifestName);
  const file = await open(`${path}.partial`, 'wx', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(manifest, null, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.partial`, path);
  await syncPath(directory);
};

const fill = async (options: BackupOptions): Promise<MadeBackup> => {
  const { serverDirectory, directory, program, now } = options;
  const [from, store] = [join(serverDirectory, storeName), join(directory, storeName)];
  await copyStore(from, store);
  const { segments, ...facts } = examineStore(store, from);
  await markCopy(store, { madeAt: now.getTime(), restoredAt: null, actor: 'somebody' });
  const files: BackedUpFile[] = [{ path: storeName, ...(await readThrough(store)) }];
  const copy = async (path: string): Promise<void> => {
    files.push({
      path,
      ...(await readThrough(join(serverDirectory, path), join(directory, path))),
    });
  };
  await copy(keysName);
  const sealed = await sealedFiles(join(serverDirectory, auditName), segments);
  if (sealed.length > 0) {
    await mkdir(join(directory, auditName), { mode: 0o700 });
    for (const name of sealed.sort()) await copy(`${auditName}/${name}`);
    await syncPath(join(directory, auditName));
  }
  const manifest: BackupManifest = {
    ...{ format: 1, program, madeAt: now.toISOString(), ...facts, files },
  };
  await syncPath(directory);
  await writeManifest(directory, manifest);
  return { directory, manifest, missing: segments.filter((name) => !sealed.includes(name)) };
};

/**
 * Write all that another machine needs to go on as this server: its store as of this moment, its keys, and what was sealed of
 * the audit trail. A server may go on working meanwhile. Throws with nothing left of it where it cannot be made whole.
 */
export const writeBackup = async (options: BackupOptions): Promise<MadeBackup> => {
  const serverDirectory = resolve(options.serverDirectory);
  const directory = resolve(options.directory);
  const way = relative(serverDirectory, directory);
  if (way === '' || !/^\.\.(\/|$)/.test(way))
    throw new Error(`${directory} lies in what is backed up: name a directory elsewhere`);
  await refuseUnderWay(serverDirectory);
  for (const name of [storeName, keysName])
    if (!(await isThere(join(serverDirectory, name))))
      throw new Error(
        `there is no ${join(serverDirectory, name)}: no server has begun here, or its data directory is another one (dataDirectory in the configuration; see --config)`,
      );
  const made = await takeDirectory(directory);
  try {
    return await fill({ ...options, serverDirectory, directory });
  } catch (error) {
    // It was empty: whatever is there by now is of this.
    for (const name of await readdir(directory))
      await rm(join(directory, name), { recursive: true, force: true });
    if (made) await rmdir(directory);
    throw error;
  }
};
