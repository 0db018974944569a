import { readFileSync, statSync } from 'node:fs';
import { uptime } from 'node:os';
import { join } from 'node:path';
import { hasCode } from '../../core/error-code.ts';
import { commandOf, readLockHolders } from '../packages/lock-holders.ts';
import type { LockHolder } from '../packages/lock-holders.ts';
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
/** USER_HZ, the same on every Linux that Node.js runs on. */
const TICK_MS = 10;

/** When a process began, in ms by the wall clock; null where there is none. */
const beganAtMs = (pid: number): number | null => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in parentheses, may hold blanks and parentheses.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return Date.now() - uptime() * 1000 + Number(fields[19]) * TICK_MS;
  } catch {
    return null;
  }
};

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
