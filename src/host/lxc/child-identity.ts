import { readdirSync } from 'node:fs';
import { basename } from 'node:path';
import type { ChildIdentity } from '../runtime.ts';
import { isTrusted } from '../proc/host-process.ts';
import { pollUntil } from './poll-until.ts';
import { isLive, readProcess, readProcessStat } from './process-stat.ts';

/** Set in the environment of each `lxc-stop` that Groundswell starts: tells it from an owner's. */
export const STOP_MARK = 'GROUNDSWELL_STOP';

/** What a shell is called that waits to become a command (spare-process.ts): its argument after the script. */
export const SPARE_NAME = 'groundswell-spare';

/** What the shell is called that forks such ones (forker.ts). */
export const FORKER_NAME = 'groundswell-forker';

/** The identity of a process that is there now; null when it is gone already. */
export const identifyChild = (pid: number, procRoot = '/proc'): ChildIdentity | null => {
  const stat = readProcessStat(procRoot, pid);
  return stat === null ? null : { pid, startTime: stat.startTime };
};

/** Whether that very process still works; another one under the same pid does not count. */
export const isAtWork = (child: ChildIdentity, procRoot = '/proc'): boolean => {
  const stat = readProcessStat(procRoot, child.pid);
  return isLive(stat) && stat.startTime === child.startTime;
};

/** Whether that very process would read what it is sent: one that was stopped (SIGSTOP, a debugger) is at work, and does not. */
export const waitsForInput = (child: ChildIdentity, procRoot = '/proc'): boolean => {
  const stat = readProcessStat(procRoot, child.pid);
  return isLive(stat) && stat.startTime === child.startTime && !/[Tt]/.test(stat.state);
};

/**
 * Waits until a child of a former life of the agent (so no child of ours any more) has ended.
 * Answers whether it has, at the latest after `timeoutMs`.
 */
export const awaitChild = (
  child: ChildIdentity,
  timeoutMs: number,
  procRoot = '/proc',
): Promise<boolean> =>
  pollUntil(
    () => !isAtWork(child, procRoot),
    (ended) => ended,
    timeoutMs,
  );

/** Signals that very process, also where /proc cannot be read just now (too many open files) and so does not say who it is. */
export const signalUnlessReplaced = (child: ChildIdentity, signal: NodeJS.Signals): void => {
  const stat = readProcessStat('/proc', child.pid);
  if (stat !== null && stat.startTime !== child.startTime) return;
  try {
    process.kill(child.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
};

/**
 * Ends that very process: SIGTERM, and SIGKILL when it is still there after `graceMs`. Does
 * nothing when the pid belongs to another process by now. Throws when even SIGKILL does not end it
 * within 5 s (it hangs in the kernel).
 */
export const endChild = async (child: ChildIdentity, graceMs = 1_000): Promise<void> => {
  if (!isAtWork(child)) return;
  signalUnlessReplaced(child, 'SIGTERM');
  if (await awaitChild(child, graceMs)) return;
  signalUnlessReplaced(child, 'SIGKILL');
  if (await awaitChild(child, 5_000)) return;
  throw new Error(
    `process ${child.pid} does not end, not even by SIGKILL: it waits in the kernel (see /proc/${child.pid}/stack)`,
  );
};

/** An `lxc-stop` at work on this host. */
export interface StopAtWork extends ChildIdentity {
  /** The container that it stops; '' while that is not known. */
  name: string;
  /** Whether Groundswell started it; else its owner did. */
  ours: boolean;
}

/** The container's name in the arguments of an lxc-stop: `-n NAME`, `-nNAME`, `--name=NAME`, `NAME`. */
export const stoppedName = (argv: readonly string[]): string | null => {
  const takesValue = new Set([
    '-P',
    '--lxcpath',
    '-t',
    '--timeout',
    '-o',
    '--logfile',
    '-l',
    '--logpriority',
  ]);
  let bare: string | null = null;
  for (let index = 1; index < argv.length; index++) {
    const argument = argv[index] ?? '';
    if (argument === '-n' || argument === '--name') return argv[index + 1] ?? null;
    if (argument.startsWith('--name=')) return argument.slice('--name='.length);
    if (/^-n./.test(argument)) return argument.slice(2);
    if (takesValue.has(argument)) index++;
    else if (!argument.startsWith('-') && argument !== '') bare ??= argument;
  }
  return bare;
};

const readArguments = (procRoot: string, pid: number): string[] =>
  (readProcess(procRoot, pid, 'cmdline') ?? '').split('\0');

/** A shell that was given its command and whose agent died before it could become that: perhaps a stop. */
const isOrphanedSpare = (procRoot: string, pid: number, argv: readonly string[]): boolean => {
  if (argv[3] !== SPARE_NAME) return false;
  const parentNow = (): number => readProcessStat(procRoot, pid)?.parent ?? 0;
  const parent = parentNow();
  if (readArguments(procRoot, parent)[3] === FORKER_NAME)
    return readProcessStat(procRoot, parent)?.parent === 1;
  // Asked again: the one before may have ended just now.
  return parentNow() === 1;
};

/**
 * Every `lxc-stop` at work, and what may become one in the next moment: those of a crashed agent whose pid
 * never reached the journal are found by this (R15, R24), and those of owners told from them by the mark in
 * their environment. What a process in a container calls itself does not count: it stops none of ours.
 */
export const findStopsAtWork = (procRoot = '/proc'): StopAtWork[] =>
  readdirSync(procRoot)
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry) => {
      const pid = Number(entry);
      if (!isTrusted(readProcess(procRoot, pid, 'status') ?? '')) return [];
      const argv = readArguments(procRoot, pid);
      const orphan = isOrphanedSpare(procRoot, pid, argv);
      if (!orphan && basename(argv[0] ?? '') !== 'lxc-stop') return [];
      const name = orphan ? '' : stoppedName(argv);
      const child = identifyChild(pid, procRoot);
      if (name === null || child === null || !isAtWork(child, procRoot)) return [];
      if (orphan) return [{ ...child, name, ours: true }];
      const environment = (readProcess(procRoot, pid, 'environ') ?? '').split('\0');
      return [{ ...child, name, ours: environment.includes(`${STOP_MARK}=1`) }];
    });
