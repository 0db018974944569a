import { open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../../core/error-code.ts';

/**
 * Locks that package managers hold while they change packages: the two of dpkg, and that of
 * unattended-upgrades, which lets go of dpkg's between the steps of one run.
 */
const LOCK_FILES = [
  'var/lib/dpkg/lock-frontend',
  'var/lib/dpkg/lock',
  'run/unattended-upgrades.lock',
];

export interface LockHolder {
  path: string;
  pid: number;
  /** The holder's name, empty where it is gone or hidden. */
  command: string;
}

/** `device:inode` as /proc/locks writes it, of each fcntl lock held, with the holder's pid. */
export const parseProcLocks = (text: string): Map<string, number> => {
  const held = new Map<string, number>();
  for (const line of text.split('\n')) {
    // `1: POSIX  ADVISORY  WRITE 287 fe:00:391 0 EOF`; `->` marks one that only waits.
    const match =
      /^\d+: (?:POSIX|OFDLCK)\s+\S+\s+WRITE\s+(-?\d+) ([0-9a-f]+):([0-9a-f]+):(\d+) /.exec(line);
    if (match === null) continue;
    const [, pid, major = '', minor = '', inode = ''] = match;
    held.set(`${parseInt(major, 16)}:${parseInt(minor, 16)}:${inode}`, Number(pid));
  }
  return held;
};

/**
 * How /proc/locks names a file: the device of its mount's superblock and its inode. stat(2) answers
 * another device on btrfs; the inode alone does not tell the host's file from a copy in a
 * container's upper layer, which keeps the number.
 */
const lockKey = async (path: string): Promise<string | null> => {
  const file = await open(path, 'r').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  });
  if (file === null) return null;
  try {
    const { ino } = await file.stat({ bigint: true });
    const info = await readFile(`/proc/self/fdinfo/${file.fd}`, 'utf8');
    const mountId = /^mnt_id:\s*(\d+)$/m.exec(info)?.[1] ?? '';
    const mounts = await readFile('/proc/self/mountinfo', 'utf8');
    const device = new RegExp(`^${mountId} \\d+ (\\d+:\\d+) `, 'm').exec(mounts)?.[1];
    if (device === undefined) throw new Error(`${path}: its mount ${mountId} is not in mountinfo`);
    return `${device}:${ino}`;
  } finally {
    await file.close();
  }
};

/** Which of `paths` may be among the locked files, by inode alone: in ordinary times none. */
const maybeLocked = async (
  paths: readonly string[],
  held: ReadonlyMap<string, number>,
): Promise<string[]> => {
  const inodes = new Set([...held.keys()].map((key) => key.slice(key.lastIndexOf(':') + 1)));
  const found = await Promise.all(
    paths.map(async (path) => {
      const file = await stat(path, { bigint: true }).catch((error: unknown) => {
        if (hasCode(error, 'ENOENT')) return null;
        throw error;
      });
      return file !== null && inodes.has(String(file.ino)) ? path : null;
    }),
  );
  return found.filter((path) => path !== null);
};

/**
 * Who holds a package manager's lock below `root`. Locks of processes in other pid namespaces do not
 * show in /proc/locks; a host's own and those of its containers do (proc(5)).
 */
export const readLockHolders = async (root: string): Promise<LockHolder[]> => {
  const holders: LockHolder[] = [];
  const held = parseProcLocks(await readFile('/proc/locks', 'utf8'));
  const paths = LOCK_FILES.map((name) => join(root, name));
  for (const path of await maybeLocked(paths, held)) {
    const key = await lockKey(path);
    const pid = key === null ? undefined : held.get(key);
    if (pid === undefined) continue;
    const command = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
    holders.push({ path, pid, command: command.trim() });
  }
  return holders;
};
