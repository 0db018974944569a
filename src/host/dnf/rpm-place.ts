import { existsSync, statSync } from 'node:fs';
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

/** SQLite's write-ahead log, while something in it is not yet in the database's own file. */
const pendingLog = (path: string): { size: number; mtimeMs: number } | null => {
  const log = statSync(`${path}-wal`, { throwIfNoEntry: false });
  // To read the database leaves an empty one behind, which says nothing.
  return log === undefined || log.size === 0 ? null : { size: log.size, mtimeMs: log.mtimeMs };
};

/** Changes whenever rpm writes its database: identity of its file, and what is still in the log. Throws where there is none. */
export const rpmSignature = (place: RpmPlace): string => {
  const path = databaseFile(place);
  const { ino, size, mtimeMs } = statSync(path);
  const log = pendingLog(path);
  return [ino, size, mtimeMs, ...(log === null ? [] : [log.size, log.mtimeMs])].join(' ');
};

/** When the database was last written, in ms by the wall clock. */
export const rpmWrittenAtMs = (place: RpmPlace): number => {
  const path = databaseFile(place);
  return Math.max(statSync(path).mtimeMs, pendingLog(path)?.mtimeMs ?? 0);
};
