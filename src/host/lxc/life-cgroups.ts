import { existsSync, readFileSync } from 'node:fs';
import type { ContainerName } from '../../core/ids.ts';
import type { Instance } from '../../core/observation.ts';
import { lxcCgroupOf } from '../../core/stale/parse-cgroup.ts';
import { freezerMounts, freezerPaths } from './freezer.ts';
import { readProcess, readProcessStat } from './process-stat.ts';

/**
 * The directories in which LXC keeps this life of a container, and its monitor. However a container is stopped, from
 * outside or within, its monitor removes first the one and then the other, and ends after that; a monitor that is killed
 * leaves both. Their names are this life's own: what an earlier one has left gives the next a name with a number.
 * None: LXC before 3.1 has no cgroup for the monitor, or somebody has given them other names.
 */
export const lifeCgroups = (
  procRoot: string,
  name: ContainerName,
  { initPid, startTime }: Instance,
): string[] => {
  const mounts = freezerMounts(readFileSync(`${procRoot}/self/mountinfo`, 'utf8'));
  const directoryOf = (pid: number, role: 'payload' | 'monitor'): string | null => {
    const paths = freezerPaths(readProcess(procRoot, pid, 'cgroup') ?? '');
    // LXC makes its cgroups in each hierarchy: one of them will do.
    for (const version of ['v1', 'v2'] as const) {
      const [mount, path] = [mounts[version], paths[version]];
      const cgroup = mount === null || path === null ? null : lxcCgroupOf(path, name, role);
      if (cgroup !== null) return `${mount ?? ''}${cgroup}`;
    }
    return null;
  };
  const payload = directoryOf(initPid, 'payload');
  // Looked at after its cgroup: another process that has its number by now is of another time.
  const init = readProcessStat(procRoot, initPid);
  if (payload === null || init?.startTime !== startTime) return [];
  const monitor = directoryOf(init.parent, 'monitor');
  return monitor === null ? [] : [monitor, payload];
};

const isEmptyCgroup = (directory: string): boolean => {
  try {
    return readFileSync(`${directory}/cgroup.procs`, 'utf8') === '';
  } catch {
    return false;
  }
};

/**
 * Of a container that is down: whether its monitor was killed, by what `lifeCgroups` answered while it ran. In doubt it was
 * not: a daemon that a hook has started keeps the monitor's cgroup as well.
 */
export const isLifeLeft = ([monitor, payload]: readonly string[]): boolean =>
  // In this order, the other way round than a monitor that is at its end.
  monitor !== undefined && payload !== undefined && isEmptyCgroup(monitor) && existsSync(payload);
