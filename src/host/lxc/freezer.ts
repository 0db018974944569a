import { readFileSync } from 'node:fs';
import { readProcess } from './process-stat.ts';

/** Where cgroup hierarchies are mounted: the v1 freezer, and v2 (alone or beside v1). */
export interface FreezerMounts {
  v1: string | null;
  v2: string | null;
}

/** Finds them in a mountinfo table, proc(5). */
export const freezerMounts = (mountinfo: string): FreezerMounts => {
  const mounts: FreezerMounts = { v1: null, v2: null };
  for (const line of mountinfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const mountPoint = before.split(' ')[4];
    const [type, , options] = after.split(' ');
    if (mountPoint === undefined) continue;
    if (type === 'cgroup2') mounts.v2 ??= mountPoint;
    if (type === 'cgroup' && options?.split(',').includes('freezer') === true)
      mounts.v1 ??= mountPoint;
  }
  return mounts;
};

/** Paths of a process in the v1 freezer and in v2, from its /proc/PID/cgroup, cgroups(7). */
export const freezerPaths = (cgroup: string): FreezerMounts => {
  const paths: FreezerMounts = { v1: null, v2: null };
  for (const line of cgroup.split('\n')) {
    const [id, controllers = '', ...rest] = line.split(':');
    const path = rest.join(':');
    if (id === '0' && controllers === '') paths.v2 = path;
    else if (controllers.split(',').includes('freezer')) paths.v1 = path;
  }
  return paths;
};

const readText = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

/** Whether a process is frozen by its cgroup (`lxc-freeze`), in either version. */
export const isFrozen = (procRoot: string, pid: number, mounts: FreezerMounts): boolean => {
  const paths = freezerPaths(readProcess(procRoot, pid, 'cgroup') ?? '');
  // Where there is a freezer of v1, LXC uses that one.
  if (mounts.v1 !== null && paths.v1 !== null)
    return readText(`${mounts.v1}${paths.v1}/freezer.state`).startsWith('FROZEN');
  if (mounts.v2 === null || paths.v2 === null) return false;
  return /^frozen 1$/m.test(readText(`${mounts.v2}${paths.v2}/cgroup.events`));
};
