import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import type { Stats } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pathAndParents } from './find-unhidden.ts';
import { readOverlayMarks } from './overlay-marks.ts';
import type { PrivateDirectory } from './private-directories.ts';
import { ProvisionError } from './provision-error.ts';

const statOrNull = (path: string): Stats | null =>
  lstatSync(path, { throwIfNoEntry: false }) ?? null;

const isWhiteout = (stats: Stats): boolean => stats.isCharacterDevice() && stats.rdev === 0;

const copyOwner = (path: string, from: Stats | null, mode: number): void => {
  if (from !== null) chownSync(path, from.uid, from.gid);
  chmodSync(path, from === null ? mode : from.mode & 0o7777);
};

const heldPath = (leaf: string): string =>
  join(dirname(leaf), `.groundswell-held-${basename(leaf)}`);

/**
 * Entries below a directory that can borrow from the lower layer: directories and regular files. What lies so deep that it has
 * no path is passed over.
 */
async function* entriesBelow(directory: string): AsyncGenerator<string> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const path = join(directory, entry.name);
    if (entry.isDirectory() || entry.isFile()) yield path;
    if (entry.isDirectory()) yield* entriesBelow(path);
  }
}

/** So many entries are held in memory, and asked about by one child. */
const atOnce = 10_000;

const refuseSome = async (paths: readonly string[]): Promise<void> => {
  for (const [path, marks] of await readOverlayMarks(paths))
    if (marks.has('metacopy') || marks.has('redirect'))
      throw new ProvisionError(
        `${path} borrows its content from the host (metacopy or redirect_dir): in the container, copy it to a new name and move it back, then try again`,
      );
};

/** Entries that borrow content from the lower layer would be empty or wrong once it is hidden. */
const refuseBorrowed = async (leaf: string): Promise<void> => {
  let some: string[] = [];
  for await (const path of entriesBelow(leaf)) {
    some.push(path);
    if (some.length < atOnce) continue;
    await refuseSome(some);
    some = [];
  }
  await refuseSome(some);
};

/** Moves what the container's owner had in the directory into the opaque one that replaced it. */
const moveHeld = (leaf: string): void => {
  const held = heldPath(leaf);
  if (statOrNull(held) === null) return;
  for (const name of readdirSync(held)) {
    const child = statOrNull(join(held, name));
    // A whiteout has nothing left to hide.
    if (child !== null && !isWhiteout(child)) renameSync(join(held, name), join(leaf, name));
  }
  rmSync(held, { recursive: true });
};

/** Ends a move that a crash interrupted after the opaque directory was in place. */
export const finishPlacing = (upper: string, path: string): void => {
  if (statOrNull(join(upper, path))?.isDirectory() === true) moveHeld(join(upper, path));
};

/** Makes the directories above a path that an upper layer has not, like the host's. */
export const makeParents = (upper: string, path: string): void => {
  for (const parent of pathAndParents(dirname(path)).filter((above) => above !== '/')) {
    const made = join(upper, parent);
    if (statOrNull(made) !== null) continue;
    mkdirSync(made);
    copyOwner(made, statOrNull(parent), 0o755);
  }
};

/**
 * Puts the opaque directory `made` at `directory.path` of an upper layer whose container is down.
 * Missing parents are made like the host's. What the container itself has there is kept; a crash
 * in between loses nothing, and the next call goes on.
 */
export const placeOpaque = async (
  upper: string,
  directory: PrivateDirectory,
  made: string,
): Promise<void> => {
  makeParents(upper, directory.path);
  const leaf = join(upper, directory.path);
  const own = statOrNull(leaf);
  if (own !== null && statOrNull(heldPath(leaf)) === null) {
    // A file here has nothing of the container's own: it borrows its content, which is what is hidden.
    if (!own.isDirectory()) rmSync(leaf);
    else {
      await refuseBorrowed(leaf);
      renameSync(leaf, heldPath(leaf));
    }
  }
  const host = statOrNull(directory.path);
  const like = [own, statOrNull(heldPath(leaf)), host].find((one) => one?.isDirectory()) ?? null;
  copyOwner(made, like, directory.mode);
  renameSync(made, leaf);
  moveHeld(leaf);
};
