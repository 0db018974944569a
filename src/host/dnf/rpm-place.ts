import { existsSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Where rpm keeps its database. */
export interface RpmPlace {
  /** Root directory of the host: `/`, another one only in tests and for a container's lower layer. */
  root: string;
  /** `%_dbpath`, an absolute path below it. */
  dbPath: string;
}

/** The file of each kind of database that rpm has had: SQLite, ndb, Berkeley DB. */
const DATABASES = ['rpmdb.sqlite', 'Packages.db', 'Packages'];

/** Where distributions put it: Fedora, openSUSE, Amazon Linux 2023; RHEL and its like. */
const USUAL_PATHS = ['/usr/lib/sysimage/rpm', '/var/lib/rpm'];

export const rpmDirectory = ({ root, dbPath }: RpmPlace): string => join(root, dbPath);

/** The database's file; throws where there is none. */
const databaseFile = (place: RpmPlace): string => {
  const directory = rpmDirectory(place);
  const found = DATABASES.map((name) => join(directory, name)).find((path) => existsSync(path));
  if (found === undefined) throw new Error(`there is no rpm database in ${directory}`);
  return found;
};

/** The usual place that has a database below `root`; null: none has. No process is run for it. */
export const findRpmPlace = (root: string): RpmPlace | null =>
  USUAL_PATHS.map((dbPath) => ({ root, dbPath })).find((place) => {
    const directory = rpmDirectory(place);
    return DATABASES.some((name) => existsSync(join(directory, name)));
  }) ?? null;

/**
 * Changes whenever rpm writes its database: identity of its file, and what SQLite has not yet moved there from
 * its write-ahead log. To read it leaves an empty log behind, which says nothing. Throws where there is none.
 */
export const rpmSignature = (place: RpmPlace): string => {
  const path = databaseFile(place);
  const { ino, size, mtimeMs } = statSync(path);
  const log = statSync(`${path}-wal`, { throwIfNoEntry: false });
  const pending = log === undefined || log.size === 0 ? [] : [log.size, log.mtimeMs];
  return [ino, size, mtimeMs, ...pending].join(' ');
};

/** When the database was last written, in ms by the wall clock. */
export const rpmWrittenAtMs = async (place: RpmPlace): Promise<number> =>
  (await stat(databaseFile(place))).mtimeMs;
