import { readdirSync, readFileSync } from 'node:fs';
import type { ContainerName } from '../../core/ids.ts';
import type { FreezerMounts } from './freezer.ts';
import { isContainerInit } from './monitors.ts';
import { isLive, readProcess, readProcessStat } from './process-stat.ts';

/** Cgroup directories that LXC may have made for a container: a later life's end in `-N`. */
export const payloadDirectories = (
  name: ContainerName,
  directories: readonly string[],
): string[] => {
  const prefix = `lxc.payload.${name}`;
  return directories.filter(
    (directory) =>
      directory === prefix ||
      (directory.startsWith(`${prefix}-`) && /^-\d+$/.test(directory.slice(prefix.length))),
  );
};

const directoriesIn = (path: string): string[] => {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
};

const pidsBelow = (directory: string): number[] => {
  let own: number[];
  try {
    own = readFileSync(`${directory}/cgroup.procs`, 'utf8').split('\n').filter(Boolean).map(Number);
  } catch {
    return [];
  }
  return [
    ...own,
    ...directoriesIn(directory).flatMap((below) => pidsBelow(`${directory}/${below}`)),
  ];
};

/**
 * Inits of a container that live on without a monitor (it was killed, and the kernel is not done
 * with ending them, or `lxc.monitor.signal.pdeath` keeps them). While one is there its overlay is
 * mounted, and a second mount of the same upper layer destroys data: do not start the container.
 */
export const findLeftoverInits = (
  name: ContainerName,
  procRoot: string,
  mounts: FreezerMounts,
): number[] => {
  const found = new Set<number>();
  // LXC makes its cgroups in every hierarchy: one of each version will do.
  for (const mount of [mounts.v1, mounts.v2].filter((point) => point !== null))
    for (const directory of payloadDirectories(name, directoriesIn(mount)))
      for (const pid of pidsBelow(`${mount}/${directory}`)) {
        if (!isContainerInit(readProcess(procRoot, pid, 'status') ?? '')) continue;
        const stat = readProcessStat(procRoot, pid);
        if (!isLive(stat)) continue;
        // `lxc.payload.web-1` may also be the first life of a container called `web-1`.
        const parent = readProcess(procRoot, stat.parent, 'cmdline') ?? '';
        if (!parent.startsWith('[lxc monitor]')) found.add(pid);
      }
  return [...found];
};
