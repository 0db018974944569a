import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RestoreLeftovers } from '../cli/local/doctor-checks/restore-check.ts';
import type { Configuration } from '../config/schema.ts';
import { aboutUnderWay, readUnderWay, stagingName } from '../store/backup/under-way.ts';
import { restoreBackup } from '../store/backup/restore-backup.ts';
import type { Restored } from '../store/backup/restore-backup.ts';
import { writeBackup } from '../store/backup/write-backup.ts';
import type { MadeBackup } from '../store/backup/write-backup.ts';
import { serverDirectory } from './key-card.ts';
import { readConfig } from './read-config.ts';
import { version } from './version.ts';

/** `groundswell backup`: of the server that this machine's configuration, or that in `file`, names. */
export const backUp = async (file: string | undefined, directory: string): Promise<MadeBackup> => {
  const { dataDirectory } = await readConfig(file);
  return writeBackup({
    ...{ serverDirectory: serverDirectory(dataDirectory), directory },
    ...{ program: version, now: new Date() },
  });
};

/** `groundswell restore`: the same the other way round. */
export const restore = async (
  file: string | undefined,
  directory: string,
  actor: string,
): Promise<Restored> => {
  const { dataDirectory } = await readConfig(file);
  return restoreBackup({
    ...{ serverDirectory: serverDirectory(dataDirectory), directory, actor, now: new Date() },
  });
};

/** What restores have left in the data directory. */
export const restoreLeftovers = async ({
  dataDirectory,
}: Pick<Configuration, 'dataDirectory'>): Promise<RestoreLeftovers> => {
  const directory = serverDirectory(dataDirectory);
  const found = await readUnderWay(directory);
  const names = await readdir(directory).catch(() => []);
  const staging = join(directory, stagingName);
  return {
    underWay: found === null ? null : aboutUnderWay(directory, found),
    staging: found === null && (await lstat(staging).catch(() => null)) !== null ? staging : null,
    aside: names
      .filter((name) => name.includes('.before-restore-'))
      .map((name) => join(directory, name)),
  };
};
