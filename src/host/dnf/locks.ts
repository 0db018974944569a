import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { hasCode } from '../../core/error-code.ts';
import { commandOf, readLockHolders } from '../packages/lock-holders.ts';
import type { LockHolder } from '../packages/lock-holders.ts';
import { beganAtMs } from '../packages/process-identity.ts';
import { rpmDirectory } from './rpm-place.ts';
import type { RpmPlace } from './rpm-place.ts';

/** Files that rpm itself and dnf 5 have a lock on while they change packages. */
export const rpmLockPaths = (place: RpmPlace): string[] => [
  join(rpmDirectory(place), '.rpm.lock'),
  join(place.root, 'run/dnf/rpmtransaction.lock'),
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
