import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { z } from 'zod';
import { hasCode } from '../../core/error-code.ts';
import { errorText } from '../../core/error-text.ts';
import { auditName, BackupManifest, manifestName, readThrough } from './manifest.ts';
import { isOfNewerProgram } from './store-file.ts';

/** A backup that is not what it was made as, or not for this program. */
export class UnfitBackup extends Error {
  override name = 'UnfitBackup';
}

const newerText = (directory: string, program: string): string =>
  `${directory} was made by a newer program, ${program}: install that version of Groundswell or a later one, then restore`;

const readManifest = async (directory: string): Promise<BackupManifest> => {
  const path = join(directory, manifestName);
  let text;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) {
      const names = await readdir(directory).catch(() => null);
      throw new UnfitBackup(
        names === null
          ? `there is no directory ${directory}`
          : `${directory} has no ${manifestName}: it is no backup, or one that was broken off; use another one`,
      );
    }
    if (hasCode(error, 'ENOTDIR')) throw new UnfitBackup(`${directory} is no directory`);
    throw error;
  }
  const damaged = (why: string): UnfitBackup =>
    new UnfitBackup(`${path} is damaged or was altered (${why}): use another backup`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw damaged(errorText(error));
  }
  const head = z.object({ format: z.int().min(2), program: z.string() }).safeParse(value);
  if (head.success) throw new UnfitBackup(newerText(directory, head.data.program));
  const parsed = BackupManifest.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw damaged(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
};

/** What there is, by path; directories of a backup apart. */
const listed = async (directory: string): Promise<{ path: string; isFile: boolean }[]> =>
  (await readdir(directory, { withFileTypes: true, recursive: true }))
    .map((entry) => ({
      path: relative(directory, join(entry.parentPath, entry.name)),
      isFile: entry.isFile(),
      isDirectory: entry.isDirectory(),
    }))
    .filter(
      ({ path, isDirectory }) => path !== manifestName && !(isDirectory && path === auditName),
    );

const problemsOf = async (directory: string, { files }: BackupManifest): Promise<string[]> => {
  const there = await listed(directory);
  const names = new Set(files.map(({ path }) => path));
  const problems: string[] = [];
  for (const { path, bytes, sha256 } of files) {
    const found = there.find((entry) => entry.path === path);
    const where = join(directory, path);
    if (found === undefined) problems.push(`${where} is missing`);
    else if (!found.isFile) problems.push(`${where} is no plain file`);
    else {
      const read = await readThrough(where);
      if (read.bytes !== bytes)
        problems.push(`${where} was altered: it has ${read.bytes} bytes, and had ${bytes}`);
      else if (read.sha256 !== sha256)
        problems.push(`${where} was altered: its SHA-256 is not that of the ${manifestName}`);
    }
  }
  for (const { path } of there)
    if (!names.has(path))
      problems.push(`${join(directory, path)} is not of this backup: if you know it, move it away`);
  return problems;
};

/**
 * What a backup's manifest says, where all of it is so. Throws `UnfitBackup` with everything that is wrong, each with its place,
 * and what to do; changes nothing.
 */
export const verifyBackup = async (directory: string, now: Date): Promise<BackupManifest> => {
  const manifest = await readManifest(directory);
  if (isOfNewerProgram(manifest.schema))
    throw new UnfitBackup(
      `${newerText(directory, manifest.program)} (its store has the schema ${manifest.schema})`,
    );
  const problems = await problemsOf(directory, manifest);
  if (problems.length > 0)
    throw new UnfitBackup(
      `${[`${directory} is not what it was made as, so nothing was restored:`, ...problems].join('\n  ')}\nUse another backup, or another copy of this one`,
    );
  if (Date.parse(manifest.madeAt) > now.getTime())
    throw new UnfitBackup(
      `the clock of this machine says ${now.toISOString()}, and ${directory} was made at ${manifest.madeAt}: set the clock first, for leaders are numbered by it (R16)`,
    );
  return manifest;
};
