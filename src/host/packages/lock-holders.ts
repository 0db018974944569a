import { closeSync, fstatSync, openSync, readFileSync, statSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { hasCode } from '../../core/error-code.ts';
import type { LockAsker } from './lock-asker.ts';

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

const ifThere = <T>(look: () => T): T | null => {
  try {
    return look();
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
};

export const commandOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
};

/**
 * How /proc/locks names a file: the device of its mount's superblock and its inode. stat(2) answers
 * another device on btrfs; the inode alone does not tell the host's file from a copy in a
 * container's upper layer, which keeps the number.
 */
const lockKey = (path: string): string | null => {
  const fd = ifThere(() => openSync(path, 'r'));
  if (fd === null) return null;
  try {
    const { ino } = fstatSync(fd, { bigint: true });
    const info = readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8');
    const mountId = /^mnt_id:\s*(\d+)$/m.exec(info)?.[1] ?? '';
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8');
    const device = new RegExp(`^${mountId} \\d+ (\\d+:\\d+) `, 'm').exec(mounts)?.[1];
    if (device === undefined) throw new Error(`${path}: its mount ${mountId} is not in mountinfo`);
    return `${device}:${ino}`;
  } finally {
    closeSync(fd);
  }
};

/** Which of `paths` may be among the locked files, by inode alone: in ordinary times none. */
const maybeLocked = (paths: readonly string[], held: ReadonlyMap<string, number>): string[] => {
  const inodes = new Set([...held.keys()].map((key) => key.slice(key.lastIndexOf(':') + 1)));
  return paths.filter((path) => {
    const file = ifThere((): BigIntStats => statSync(path, { bigint: true }));
    return file !== null && inodes.has(String(file.ino));
  });
};

/**
 * Who holds a lock on which of `paths`. Locks of processes in other pid namespaces do not
 * show in /proc/locks; a host's own and those of its containers do (proc(5)). Synchronous, so that nothing
 * of ours comes between it and the other last looks before a stop (R21).
 */
export const readLockHolders = (paths: readonly string[]): LockHolder[] => {
  const holders: LockHolder[] = [];
  const held = parseProcLocks(readFileSync('/proc/locks', 'utf8'));
  for (const path of maybeLocked(paths, held)) {
    const key = lockKey(path);
    const pid = key === null ? undefined : held.get(key);
    if (pid === undefined) continue;
    holders.push({ path, pid, command: commandOf(pid) });
  }
  return holders;
};

/** The same, of the kernel by `locks`; null where it could not be asked. */
export const askLockHolders = async (
  paths: readonly string[],
  locks: LockAsker,
): Promise<LockHolder[] | null> => {
  const answers = await locks.ask(paths);
  if (answers === null) return null;
  return paths.flatMap((path, index) => {
    const pid = answers[index] ?? null;
    return pid === null ? [] : [{ path, pid, command: commandOf(pid) }];
  });
};
