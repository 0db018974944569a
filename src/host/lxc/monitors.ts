import { readdirSync, readFileSync } from 'node:fs';
import { parseStatus } from '../../core/stale/parse-stat.ts';
import { isTrusted } from '../proc/host-process.ts';
import { readProcess } from './process-stat.ts';

/** What LXC's monitor of a container calls itself, `lxc_cmd`'s setproctitle. */
const TITLE = '[lxc monitor] ';

/** Names of containers in `lxcPath` whose monitor answers: each listens on an abstract socket. */
export const namesWithSocket = (lxcPath: string, unixSockets: string): Set<string> => {
  const prefix = ` @${lxcPath}/`;
  const suffix = '/command';
  return new Set(
    unixSockets.split('\n').flatMap((line) => {
      const at = line.indexOf(prefix);
      if (at < 0 || !line.endsWith(suffix)) return [];
      return [line.slice(at + prefix.length, -suffix.length)];
    }),
  );
};

/** The container of `lxcPath` whose monitor has this command line, or null. */
export const monitoredName = (lxcPath: string, cmdline: string): string | null => {
  const prefix = `${TITLE}${lxcPath} `;
  if (!cmdline.startsWith(prefix)) return null;
  return cmdline.slice(prefix.length).replace(/\0+$/, '');
};

/**
 * The container of `lxcPath` that a process is the monitor of, or null. A process in a container is none, whatever its
 * title: its owner could have other containers' states read from his own processes.
 */
export const monitoredBy = (procRoot: string, lxcPath: string, pid: number): string | null =>
  isTrusted(readProcess(procRoot, pid, 'status') ?? '')
    ? monitoredName(lxcPath, readProcess(procRoot, pid, 'cmdline') ?? '')
    : null;

/**
 * Whether a process has PID 1 in a pid namespace right below ours: only a container's init has. Further down are
 * those that a container has made itself.
 */
export const isContainerInit = (status: string): boolean => {
  const pids = /^NSpid:\s*(.+)$/m.exec(status)?.[1]?.split(/\s+/) ?? [];
  return pids.length === 2 && pids[1] === '1';
};

/** Children of a process. Needs CONFIG_PROC_CHILDREN, which distributions set; else none is found. */
export const childrenOf = (procRoot: string, pid: number): number[] =>
  (readProcess(procRoot, pid, `task/${pid}/children`) ?? '')
    .split(' ')
    .filter((text) => text !== '')
    .map(Number);

/**
 * The init of a container by its monitor; null while there is none that runs the container's own
 * program (before `exec` it still has the monitor's name; afterwards it is a zombie or gone). Its command line would
 * say the same, but is its owner's to make us wait for.
 */
export const initOfMonitor = (
  procRoot: string,
  monitorPid: number,
): { pid: number; startTime: string } | null => {
  const status = (pid: number) => parseStatus(readProcess(procRoot, pid, 'stat') ?? '');
  const monitor = status(monitorPid);
  for (const pid of childrenOf(procRoot, monitorPid)) {
    if (!isContainerInit(readProcess(procRoot, pid, 'status') ?? '')) continue;
    const init = status(pid);
    if (init === null || init.state === 'Z' || init.exiting || init.command === monitor?.command)
      continue;
    return { pid, startTime: init.startTime };
  }
  return null;
};

/** Every monitor's pid by its container, in one pass over the process table. */
export const findMonitors = (procRoot: string, lxcPath: string): Map<string, number> => {
  const monitors = new Map<string, number>();
  for (const entry of readdirSync(procRoot)) {
    if (!/^\d+$/.test(entry)) continue;
    const name = monitoredBy(procRoot, lxcPath, Number(entry));
    if (name !== null) monitors.set(name, Number(entry));
  }
  return monitors;
};

/** Processes in the cgroup that LXC usually makes for a container's monitor; a hint, no proof. */
export const monitorsInCgroup = (mount: string | null, name: string): number[] => {
  if (mount === null) return [];
  try {
    return readFileSync(`${mount}/lxc.monitor.${name}/cgroup.procs`, 'utf8')
      .split('\n')
      .filter((text) => text !== '')
      .map(Number);
  } catch {
    return [];
  }
};

/** Containers of which a monitor is alive, as the kernel's table of sockets shows it. */
export const findLiveNames = (procRoot: string, lxcPath: string): Set<string> =>
  namesWithSocket(lxcPath, readFileSync(`${procRoot}/self/net/unix`, 'utf8'));
