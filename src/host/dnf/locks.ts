import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { hasCode } from '../../core/error-code.ts';
import { commandOf, readLockHolders } from '../packages/lock-holders.ts';
import type { LockHolder } from '../packages/lock-holders.ts';
import { beganAtMs } from '../packages/process-identity.ts';
import { rpmDirectory } from './rpm-place.ts';
import type { RpmPlace } from './rpm-place.ts';

/**
 * What dnf 5 locks below the root (`libdnf5/conf/const.hpp`, and `libdnf5/base/base.cpp` for the second): its transaction; and,
 * from 5.4 on, from where it reads what is installed to the end of the command, all that it knows of this system. That is to write for commands
 * that change packages; those that only look share it.
 */
const DNF5_LOCKS = [
  'run/dnf/rpmtransaction.lock',
  'var/lib/dnf/system-repo.lock',
  'usr/lib/sysimage/libdnf5/system-repo.lock',
];

/** Files that rpm itself (`%_rpmlock_path`) and dnf 5 have a lock on while they change packages. */
export const rpmLockPaths = (place: RpmPlace): string[] => [
  join(rpmDirectory(place), '.rpm.lock'),
  ...DNF5_LOCKS.map((path) => join(place.root, path)),
];

/** dnf 4 has no lock that the kernel knows: it writes its pid there. */
const PID_FILE = 'var/lib/dnf/rpmdb_lock.pid';

/** A file's time and a process's start are of different clocks. */
const SLACK_MS = 2_000;

/** A dnf 4 at work. One that was killed leaves its file, and its pid may be somebody else's by now. */
export const pidFileHolders = ({ root }: RpmPlace): LockHolder[] => {
  const path = join(root, PID_FILE);
  try {
    const pid = Number(readFileSync(path, 'utf8').trim());
    const began = Number.isInteger(pid) && pid > 0 ? beganAtMs(pid) : null;
    if (began === null || began > statSync(path).mtimeMs + SLACK_MS) return [];
    return [{ path, pid, command: commandOf(pid) }];
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
};

/** Who changes packages right now: rpm, dnf 5 or dnf 4. */
export const rpmLockHolders = (place: RpmPlace): LockHolder[] => [
  ...readLockHolders(rpmLockPaths(place)),
  ...pidFileHolders(place),
];
