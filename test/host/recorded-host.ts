import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { freezerMounts } from '../../src/host/lxc/freezer.ts';
import type { FreezerMounts } from '../../src/host/lxc/freezer.ts';

/** Kinds of cgroup hierarchies of which a host was recorded: test/fixtures/hosts/README.md. */
export const KINDS = ['v1', 'hybrid', 'v2'] as const;
export type Kind = (typeof KINDS)[number];

/** The containers of each recorded host. */
export const CONTAINERS = ['shop', 'shop-1', 'sys-01', 'web-01'] as const;

export interface RecordedHost {
  /** Takes the place of /proc. */
  procRoot: string;
  /** Its own file systems, as init sees them. */
  mountinfo: string;
  /** Where the recording keeps the hierarchies that `mountinfo` names. */
  mounts: FreezerMounts;
  /** A file of the host, by the path that it had there. */
  read: (path: string) => string;
  directory: (path: string) => string[];
  /** What lxc-info(1) said of a container. */
  info: (container: string) => string;
  /** Pids of all processes that were recorded below a parent, itself among them. */
  family: (pid: number) => number[];
}

/** A host as it was recorded. */
export const recordedHost = (kind: Kind): RecordedHost => {
  const root = fileURLToPath(new URL(`../fixtures/hosts/${kind}`, import.meta.url));
  const read = (path: string): string => readFileSync(root + path, 'utf8');
  const directory = (path: string): string[] => readdirSync(root + path).sort();
  const mountinfo = read('/proc/self/mountinfo');
  const mounts = freezerMounts(mountinfo);
  const recorded = (point: string | null): string | null => (point === null ? null : root + point);
  const parents = directory('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({
      pid: Number(name),
      parent: Number(/^PPid:\s*(\d+)$/m.exec(read(`/proc/${name}/status`))?.[1]),
    }));
  const family = (pid: number): number[] => [
    pid,
    ...parents.filter(({ parent }) => parent === pid).flatMap((one) => family(one.pid)),
  ];
  return {
    procRoot: `${root}/proc`,
    mountinfo,
    mounts: { v1: recorded(mounts.v1), v2: recorded(mounts.v2) },
    read,
    directory,
    info: (container) => read(`/lxc-info/${container}.txt`),
    family,
  };
};
