import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** The variable that marks every process a bed starts, so that cleaning finds orphans (clean.ts). */
export const BED_MARK = 'GROUNDSWELL_BED';

/** The text of a file in /proc, or null when it vanished meanwhile or cannot be read. */
const readProc = async (path: string): Promise<string | null> => {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return null;
  }
};

const allPids = async (): Promise<number[]> =>
  (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);

interface ProcessStat {
  /** One letter. */
  state: string;
  parent: number;
  group: number;
  /** In clock ticks since boot. */
  startTime: string;
}

/** What proc(5) says of a process; null if gone. */
export const processStat = async (pid: number): Promise<ProcessStat | null> => {
  const text = await readProc(`/proc/${pid}/stat`);
  if (text === null) return null;
  // comm may hold spaces, parentheses and newlines: count from its last parenthesis.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, parent, group, startTime] = [fields[0], fields[1], fields[2], fields[19]];
  if (state === undefined || startTime === undefined) return null;
  return { state, parent: Number(parent), group: Number(group), startTime };
};

/** Whether the process is there and not a zombie (PID 1 may be no init that collects them). */
export const isAlive = async (pid: number): Promise<boolean> => {
  const stat = await processStat(pid);
  return stat !== null && stat.state !== 'Z' && stat.state !== 'X';
};

/** The name of the program that the process runs, cut to 15 bytes; null if gone. */
export const programName = async (pid: number): Promise<string | null> =>
  (await readProc(`/proc/${pid}/comm`))?.trim() ?? null;

/** What the process was called with, each argument ended by a NUL; null if gone, '' for a zombie. */
export const commandLine = (pid: number): Promise<string | null> =>
  readProc(`/proc/${pid}/cmdline`);

const livingWhere = async (wanted: (stat: ProcessStat) => boolean): Promise<number[]> => {
  const stats = await Promise.all(
    (await allPids()).map(async (pid) => ({ pid, stat: await processStat(pid) })),
  );
  return stats
    .filter(({ stat }) => stat !== null && stat.state !== 'Z' && wanted(stat))
    .map(({ pid }) => pid);
};

/** Pids of the living children of `parent`, seen from outside. */
export const childrenOf = (parent: number): Promise<number[]> =>
  livingWhere((stat) => stat.parent === parent);

/** Pids of the living members of a process group. */
export const membersOfGroup = (group: number): Promise<number[]> =>
  livingWhere((stat) => stat.group === group);

/** The mark in a process's environment: its bed's directory; null without one, or when it is gone. */
export const bedMarkOf = async (pid: number): Promise<string | null> => {
  const environment = await readProc(`/proc/${pid}/environ`);
  const entry = environment?.split('\0').find((each) => each.startsWith(`${BED_MARK}=`));
  return entry === undefined ? null : entry.slice(BED_MARK.length + 1);
};

/** Living processes that were started for the bed in `bedDirectory`, but not the caller itself. */
export const markedProcesses = async (bedDirectory: string): Promise<number[]> => {
  const mark = `${BED_MARK}=${bedDirectory}`;
  const found = await Promise.all(
    (await allPids()).map(async (pid) => {
      const environment = await readProc(`/proc/${pid}/environ`);
      return environment?.split('\0').includes(mark) === true && (await isAlive(pid)) ? pid : null;
    }),
  );
  return found.filter((pid): pid is number => pid !== null && pid !== process.pid);
};

/** Sends a signal (kill(2): to a group when negative); one that is gone already is no error. */
export const signalProcess = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
};

/** Kills what `list` names, again and again until it names nothing; throws after `deadlineMs`. */
export const killAll = async (
  list: () => Promise<number[]>,
  deadlineMs: number,
  what: string,
): Promise<void> => {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const pids = await list();
    if (pids.length === 0) return;
    if (Date.now() > end) throw new Error(`${what}: still alive after kill -9: ${pids.join(' ')}`);
    for (const pid of pids) signalProcess(pid, 'SIGKILL');
    await sleep(10);
  }
};
