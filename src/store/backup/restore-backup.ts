import { lstat, mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { errorText } from '../../core/error-text.ts';
import { lockFile } from '../open-sqlite.ts';
import { auditName, keysName, readThrough, storeName, syncPath } from './manifest.ts';
import type { BackupManifest } from './manifest.ts';
import { examineStore, isOfNewerProgram, markCopy } from './store-file.ts';
import {
  readUnderWay,
  stagingName,
  underWayName,
  underWayError,
  writeUnderWay,
} from './under-way.ts';
import type { RestoreUnderWay } from './under-way.ts';
import { UnfitBackup, verifyBackup } from './verify-backup.ts';

export interface RestoreOptions {
  /** The server's part of the data directory; made where it is not there. */
  serverDirectory: string;
  /** The backup. */
  directory: string;
  /** Who restores, for the record. */
  actor: string;
  now: Date;
}

export interface Restored {
  /** The backup that was put in place, and when it was made. */
  directory: string;
  madeAt: string;
  serverDirectory: string;
  /** Where that lies now which was there before. */
  aside: string[];
  /** It was begun before, and broken off. */
  wentOn: boolean;
}

const staged = [storeName, keysName, auditName];
/** SQLite's own files belong to the store that is moved, and would ruin the one that comes. */
const ofStore = ['-wal', '-shm', '-journal'];
const replaced = [...ofStore.map((end) => `${storeName}${end}`), ...staged];

const isThere = async (path: string): Promise<boolean> =>
  (await lstat(path).catch(() => null)) !== null;

/** `store.sqlite-wal` is found by SQLite beside a store of its name alone, so what it ends with stays its end. */
const asideName = (name: string, suffix: string): string => {
  const end = ofStore.find((one) => name === `${storeName}${one}`) ?? '';
  return `${name.slice(0, name.length - end.length)}${suffix}${end}`;
};

/** `.before-restore-20261129T101530Z`; with a number where something has that name already. */
const freeSuffix = async (serverDirectory: string, now: Date): Promise<string> => {
  const time = now.toISOString().replace(/[-:]|\.\d+/g, '');
  const names = await readdir(serverDirectory);
  for (let count = 1; ; count += 1) {
    const suffix = `.before-restore-${time}${count === 1 ? '' : `-${count}`}`;
    if (!names.some((name) => replaced.some((one) => name === asideName(one, suffix))))
      return suffix;
  }
};

/**
 * All of the backup beside what is there, checked once more as it lies there, with the word that it is a backup; what is there
 * is not touched. Throws with nothing left of it.
 */
const stage = async (
  { serverDirectory, directory, actor, now }: RestoreOptions,
  { files, madeAt }: BackupManifest,
): Promise<void> => {
  const staging = join(serverDirectory, stagingName);
  // Of one that was broken off before anything was moved.
  await rm(staging, { recursive: true, force: true });
  try {
    await mkdir(join(staging, auditName), { recursive: true, mode: 0o700 });
    for (const { path, sha256 } of files) {
      const copied = await readThrough(join(directory, path), join(staging, path));
      if (copied.sha256 !== sha256)
        throw new UnfitBackup(`${join(directory, path)} was altered while it was read: try again`);
    }
    const store = join(staging, storeName);
    const { schema } = examineStore(store, join(directory, storeName));
    if (isOfNewerProgram(schema))
      throw new UnfitBackup(
        `the store of ${directory} was made by a newer program (schema ${schema}): install that version of Groundswell or a later one, then restore`,
      );
    await markCopy(store, { madeAt: Date.parse(madeAt), restoredAt: now.getTime(), actor });
    await syncPath(join(staging, auditName));
    await syncPath(staging);
    await syncPath(serverDirectory);
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    if (error instanceof UnfitBackup) throw error;
    throw new Error(`${directory} was not restored, and nothing was changed: ${errorText(error)}`, {
      cause: error,
    });
  }
};

export type Move = readonly [from: string, to: string];

/** What is moved, one after another: first what was there, then what comes. */
export const movesOf = (
  serverDirectory: string,
  { suffix, aside, staged: coming }: RestoreUnderWay,
): { away: Move[]; here: Move[] } => ({
  away: aside.map((name) => [
    join(serverDirectory, name),
    join(serverDirectory, asideName(name, suffix)),
  ]),
  here: coming.map((name) => [
    join(serverDirectory, stagingName, name),
    join(serverDirectory, name),
  ]),
});

/** Verified and copied, with a note that says so: from then on `finishRestore` can be done over until it is done. */
export const prepareRestore = async (
  options: RestoreOptions,
  manifest: BackupManifest,
): Promise<RestoreUnderWay> => {
  const { serverDirectory, directory, now } = options;
  await stage(options, manifest);
  const there = await readdir(serverDirectory);
  const state: RestoreUnderWay = {
    ...{ format: 1, backup: directory, madeAt: manifest.madeAt },
    suffix: await freeSuffix(serverDirectory, now),
    aside: replaced.filter((name) => there.includes(name)),
    staged,
  };
  await writeUnderWay(serverDirectory, state);
  return state;
};

/** Move what is not moved yet, each by one rename; what a crash has left undone is done by the next call. */
export const finishRestore = async (
  serverDirectory: string,
  state: RestoreUnderWay,
): Promise<string[]> => {
  const { away, here } = movesOf(serverDirectory, state);
  for (const [from, to] of away)
    if (!(await isThere(to)) && (await isThere(from))) await rename(from, to);
  await syncPath(serverDirectory);
  for (const [from, to] of here) {
    if (!(await isThere(from))) continue;
    // Made by somebody since it was broken off.
    if (await isThere(to)) await rename(to, `${to}${state.suffix}.later`);
    await rename(from, to);
  }
  await syncPath(serverDirectory);
  await rmdir(join(serverDirectory, stagingName)).catch(() => undefined);
  await rm(join(serverDirectory, underWayName), { force: true });
  await syncPath(serverDirectory);
  return away.map(([, to]) => to);
};

/**
 * Put a backup in the place of a server's store, keys and sealed records, which are kept under other names. Nothing is changed
 * before all of it was verified. Throws while a server works there. Broken off at any point, it leaves what was there as it was,
 * or a note by which no server begins there and the next call goes on.
 */
export const restoreBackup = async (options: RestoreOptions): Promise<Restored> => {
  const serverDirectory = resolve(options.serverDirectory);
  const directory = resolve(options.directory);
  // One that was broken off was verified before it was begun, and the backup may not even be there any more.
  const isNew = (await readUnderWay(serverDirectory)) === null;
  const manifest = isNew ? await verifyBackup(directory, options.now) : null;
  for (const path of [dirname(serverDirectory), serverDirectory])
    await mkdir(path, { recursive: true, mode: 0o700 });
  const lock = lockFile(join(serverDirectory, 'lock'));
  if (lock === null)
    throw new Error(
      `a server works in ${serverDirectory}: stop it first (systemctl stop groundswell-server; on a single host: systemctl stop groundswell)`,
    );
  try {
    const before = await readUnderWay(serverDirectory);
    if (before !== null && before.backup !== directory)
      throw underWayError(serverDirectory, before);
    const state =
      before ??
      (await prepareRestore(
        { ...options, serverDirectory, directory },
        manifest ?? (await verifyBackup(directory, options.now)),
      ));
    const aside = await finishRestore(serverDirectory, state);
    return { directory, madeAt: state.madeAt, serverDirectory, aside, wentOn: before !== null };
  } finally {
    lock.release();
  }
};
