import { readdirSync, readlinkSync } from 'node:fs';
import { assignProcesses } from '../../core/stale/assign-processes.ts';
import type { AssignableProcess, Assignment } from '../../core/stale/assign-processes.ts';
import { labelNames, lxcCgroup, ownContainerPrefix } from '../../core/stale/parse-cgroup.ts';
import type { LxcCgroup } from '../../core/stale/parse-cgroup.ts';
import { parseStatus } from '../../core/stale/parse-stat.ts';
import type { ProcessStatus } from '../../core/stale/parse-stat.ts';
import { isTrusted } from './host-process.ts';
import { readBounded } from './read-bounded.ts';

/** A process as it was seen in one pass over the table. */
export interface SeenProcess extends AssignableProcess {
  status: ProcessStatus;
  /** Its whole /proc/PID/cgroup. */
  cgroupText: string;
  /** The thread to read it through: another one where its main thread has ended. */
  task: number;
  /** Its mount namespace, such as `mnt:[4026531841]`; null where that may not be read. */
  mountNamespace: string | null;
}

/** The kernel writes less; a process can let its command line be as large as its memory. */
const MAX_BYTES = 8 << 20;

/** A small file of procfs, or null when it is gone, may not be read or is too large to be true. */
export const readProcText = (path: string): string | null => {
  try {
    return readBounded(path, MAX_BYTES);
  } catch {
    return null;
  }
};

export const readProcLink = (path: string): string | null => {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
};

/** State and start time now; null when the process is gone. */
export const readStatus = (procRoot: string, pid: number): ProcessStatus | null => {
  const text = readProcText(`${procRoot}/${pid}/stat`);
  return text === null ? null : parseStatus(text);
};

/**
 * A thread that still runs, of a process whose main thread has ended: that one shows the state of a
 * zombie and has neither memory nor mounts, while others go on. Null for a real zombie.
 */
const liveThread = (procRoot: string, pid: number): number | null => {
  let threads: string[];
  try {
    threads = readdirSync(`${procRoot}/${pid}/task`);
  } catch {
    return null;
  }
  for (const thread of threads) {
    const text = readProcText(`${procRoot}/${pid}/task/${thread}/stat`);
    const status = text === null ? null : parseStatus(text);
    if (status !== null && !status.exiting && status.state !== 'Z') return Number(thread);
  }
  return null;
};

/** Whether that very process is still there and runs code. */
export const stillRuns = (procRoot: string, { pid, startTime }: SeenProcess): boolean => {
  const now = readStatus(procRoot, pid);
  if (now === null || now.startTime !== startTime) return false;
  return !now.exiting || liveThread(procRoot, pid) !== null;
};

/** LXC's monitor calls itself `[lxc monitor] PATH NAME`; its command (`comm`) stays lxc-start. */
const monitoredContainer = (procRoot: string, pid: number): string | null => {
  const line = readProcText(`${procRoot}/${pid}/cmdline`);
  return /^\[lxc monitor\] \/.* ([^ \0]+)\0*$/.exec(line ?? '')?.[1] ?? null;
};

/** What stays the same while one scan goes through the process table. */
export interface ProcessReader {
  procRoot: string;
  /** The reader's own container, where it has no cgroup namespace. */
  ownPrefix: string;
  /** Pids that were looked at already, kernel threads among them. */
  looked: Set<string>;
  /** Cgroup texts are few and many processes share one. */
  cgroups: Map<string, LxcCgroup | null>;
  /** Leave out what is in the cgroup of another container than this; null: leave out nothing. */
  only: string | null;
}

export const processReader = (procRoot: string, only: string | null = null): ProcessReader => ({
  procRoot,
  only,
  ownPrefix: ownContainerPrefix(readProcText(`${procRoot}/self/cgroup`) ?? ''),
  looked: new Set(),
  cgroups: new Map(),
});

/** One process; null where it vanished, is a kernel thread, or is what the reader leaves out. */
export const seeProcess = (reader: ProcessReader, pid: number): SeenProcess | null => {
  const { procRoot, cgroups, only } = reader;
  const cgroupText = readProcText(`${procRoot}/${pid}/cgroup`) ?? '';
  let cgroup = cgroups.get(cgroupText);
  if (cgroup === undefined)
    cgroups.set(cgroupText, (cgroup = lxcCgroup(cgroupText, reader.ownPrefix)));
  // Most processes of a host, and one read instead of three for each.
  // Not monitors: they tell which container a label means.
  if (only !== null && cgroup?.role === 'container' && !labelNames(cgroup.label).includes(only))
    return null;
  const status = readStatus(procRoot, pid);
  if (status === null || status.kernelThread) return null;
  const task = status.exiting ? (liveThread(procRoot, pid) ?? pid) : pid;
  // Before LXC 4 monitors stay in the cgroup of whoever started them.
  const mayMonitor =
    cgroup?.role === 'monitor' ||
    (cgroup === null &&
      status.command.startsWith('lxc') &&
      isTrusted(readProcText(`${procRoot}/${pid}/status`) ?? ''));
  return {
    ...{ pid, parent: status.parent, startTime: status.startTime, status, cgroupText, cgroup },
    monitorOf: mayMonitor ? monitoredContainer(procRoot, pid) : null,
    task,
    mountNamespace: readProcLink(`${procRoot}/${task}/ns/mnt`),
  };
};

/**
 * Every process that this reader has not seen yet and does not leave out, nor kernel threads. Processes that vanish
 * meanwhile are left out too. Throws when procfs itself cannot be listed.
 */
export const seeProcesses = (reader: ProcessReader): SeenProcess[] => {
  const pids = readdirSync(reader.procRoot).filter(
    (name) => /^\d+$/.test(name) && !reader.looked.has(name),
  );
  for (const pid of pids) reader.looked.add(pid);
  return pids.map((pid) => seeProcess(reader, Number(pid))).filter((process) => process !== null);
};

/**
 * Gives each process to its container; one that entered a container's mount namespace without its
 * cgroup (nsenter) is part of it too.
 */
export const assignSeen = (
  processes: readonly SeenProcess[],
  known: ReadonlySet<string>,
): Assignment<SeenProcess> => {
  const { containers, host } = assignProcesses(processes, known);
  const byNamespace = new Map<string, string>();
  for (const [name, { init }] of containers)
    if (init !== null && init.mountNamespace !== null) byNamespace.set(init.mountNamespace, name);
  const own = host.filter((process) => {
    const name = byNamespace.get(process.mountNamespace ?? '');
    const container = name === undefined ? undefined : containers.get(name);
    container?.members.push(process);
    return container === undefined;
  });
  return { containers, host: own };
};
