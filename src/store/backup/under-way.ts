import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { hasCode } from '../../core/error-code.ts';
import { syncPath } from './manifest.ts';

/** Beside what is replaced, so that each part of it comes in its place by a single rename. */
export const stagingName = 'restoring';
/** While this file is there what lies beside it is partly of before and partly of the backup. */
export const underWayName = 'restoring.json';

const RestoreUnderWay = z.strictObject({
  format: z.literal(1),
  /** The backup, as it was named, and when it was made. */
  backup: z.string(),
  madeAt: z.iso.datetime(),
  /** What stands behind the names of what was there before. */
  suffix: z.string().regex(/^\.before-restore-[0-9TZ-]+$/),
  /** What was there before, and what comes in its place. */
  aside: z.array(z.string().regex(/^[a-z][a-z.-]*$/)),
  staged: z.array(z.string().regex(/^[a-z][a-z.-]*$/)),
});
export type RestoreUnderWay = z.infer<typeof RestoreUnderWay>;

/** How a path is typed into a shell. */
const typed = (path: string): string =>
  /^[\w./@%+,:-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;

/** The restore that was broken off after its last word to turn back; null: none was. */
export const readUnderWay = async (serverDirectory: string): Promise<RestoreUnderWay | null> => {
  const path = join(serverDirectory, underWayName);
  let text;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return null;
    throw error;
  }
  try {
    return RestoreUnderWay.parse(JSON.parse(text));
  } catch (error) {
    throw new Error(
      `${path} says that a restore was broken off here, and cannot be read: what was there before has names with .before-restore- in them; give these back to it or put a backup in its place by hand, and remove ${path}`,
      { cause: error },
    );
  }
};

/** What it means, and the command that ends it. */
export const aboutUnderWay = (
  serverDirectory: string,
  { backup }: RestoreUnderWay,
): { what: string; remedy: string } => ({
  what: `a restore of ${backup} was broken off in ${serverDirectory}, which is partly of before and partly of the backup`,
  remedy: `groundswell restore ${typed(backup)}`,
});

/** Nothing may be made of what is there, and nothing made beside it. */
export const underWayError = (serverDirectory: string, state: RestoreUnderWay): Error => {
  const { what, remedy } = aboutUnderWay(serverDirectory, state);
  return new Error(`${what}; to go on with it: ${remedy}`);
};

/** Throws where a restore was broken off. */
export const refuseUnderWay = async (serverDirectory: string): Promise<void> => {
  const found = await readUnderWay(serverDirectory);
  if (found !== null) throw underWayError(serverDirectory, found);
};

/** From here on there is no way back, only forward. */
export const writeUnderWay = async (
  serverDirectory: string,
  state: RestoreUnderWay,
): Promise<void> => {
  const path = join(serverDirectory, underWayName);
  const file = await open(`${path}.partial`, 'w', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(state, null, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.partial`, path);
  await syncPath(serverDirectory);
};
