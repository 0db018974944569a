import { readBounded } from '../proc/read-bounded.ts';

/** What Groundswell needs of /proc/PID/stat, proc(5). */
export interface ProcessStat {
  /** State letter; Z is a zombie. */
  state: string;
  parent: number;
  /** Field 22: clock ticks since boot, as text. With the pid it names one process for ever. */
  startTime: string;
}

/** The fields of a /proc/PID/stat text; `comm` may hold blanks, parentheses and newlines. */
export const parseProcessStat = (text: string): ProcessStat | null => {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, parent, startTime] = [fields[0], fields[1], fields[19]];
  if (state === undefined || parent === undefined || startTime === undefined) return null;
  if (state === '' || !/^\d{1,10}$/.test(parent) || startTime === '') return null;
  return { state, parent: Number(parent), startTime };
};

/** The kernel writes less; a process can let its command line be as large as its memory. */
const MAX_BYTES = 8 << 20;

/**
 * A file of a process, or null when it is gone, may not be read or is too large to be true. Synchronous on purpose: procfs
 * never waits for a disk, and a pass over 200 containers costs a fraction of the promises' price.
 */
export const readProcess = (procRoot: string, pid: number, file: string): string | null => {
  try {
    return readBounded(`${procRoot}/${pid}/${file}`, MAX_BYTES);
  } catch {
    return null;
  }
};

/** State, parent and start time of a process; null when it is gone. */
export const readProcessStat = (procRoot: string, pid: number): ProcessStat | null => {
  const text = readProcess(procRoot, pid, 'stat');
  return text === null ? null : parseProcessStat(text);
};

/** Whether a process still runs code: a zombie does not. */
export const isLive = (stat: ProcessStat | null): stat is ProcessStat =>
  stat !== null && stat.state !== 'Z' && stat.state !== 'X';
