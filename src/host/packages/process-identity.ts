import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { uptime } from 'node:os';
import type { ChildIdentity } from '../runtime.ts';

/** State and start time (field 22 of proc_pid_stat(5)) of a process; null when there is none. */
const readStat = async (pid: number): Promise<{ state: string; startTime: string } | null> => {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (text === null) return null;
  // The name, in parentheses, may hold blanks and parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', startTime: fields[19] ?? '' };
};

/** Whether that very process still runs: pids are reused, and a zombie has ended. */
export const stillRuns = async ({ pid, startTime }: ChildIdentity): Promise<boolean> => {
  const found = await readStat(pid);
  return found !== null && found.startTime === startTime && !['Z', 'X'].includes(found.state);
};

/** USER_HZ, the same on every Linux that Node.js runs on. */
const TICK_MS = 10;

/** When a process began, in ms by the wall clock; null where there is none. */
export const beganAtMs = (pid: number, procRoot = '/proc'): number | null => {
  try {
    const text = readFileSync(`${procRoot}/${pid}/stat`, 'utf8');
    // The name, in parentheses, may hold blanks and parentheses.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const began = Date.now() - uptime() * 1000 + Number(fields[19]) * TICK_MS;
    return Number.isFinite(began) ? began : null;
  } catch {
    return null;
  }
};
