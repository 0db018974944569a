import type { LxcCgroup } from './parse-cgroup.ts';
import { labelNames } from './parse-cgroup.ts';

export interface AssignableProcess {
  pid: number;
  parent: number;
  startTime: string;
  cgroup: LxcCgroup | null;
  /** The container that its command line says it is the monitor of. */
  monitorOf: string | null;
}

export interface ContainerProcesses<P> {
  /** Null where only a monitor is left. */
  init: P | null;
  members: P[];
  monitors: P[];
}

export interface Assignment<P> {
  containers: Map<string, ContainerProcesses<P>>;
  /** Processes of no container. */
  host: P[];
}

const earliest = <P extends AssignableProcess>(processes: readonly P[]): P | null =>
  processes.reduce<P | null>(
    (first, one) =>
      first === null || BigInt(one.startTime) < BigInt(first.startTime) ? one : first,
    null,
  );

/**
 * Gives each process to its container. The cgroup says which processes are together, and the
 * monitor's command line which container that is: a label such as `web-1` may also be a later life
 * of `web`. Where no monitor is left, the label must do: a known container of just that name first.
 * `known` are the containers asked for; those of others are left out of the answer.
 */
export const assignProcesses = <P extends AssignableProcess>(
  processes: readonly P[],
  known: ReadonlySet<string>,
): Assignment<P> => {
  const monitorNames = new Map<number, string>();
  for (const { pid, monitorOf, cgroup } of processes)
    // A container's own process may call itself whatever it likes.
    if (monitorOf !== null && cgroup?.role !== 'container') monitorNames.set(pid, monitorOf);

  const names = new Map<string, string>();
  const groupOf = ({ role, label }: LxcCgroup): string => `${role} ${label}`;
  for (const { cgroup, parent, monitorOf } of processes) {
    if (cgroup === null) continue;
    const name = cgroup.role === 'monitor' ? monitorOf : monitorNames.get(parent);
    if (name !== undefined && name !== null && labelNames(cgroup.label).includes(name))
      names.set(groupOf(cgroup), name);
  }
  const nameOf = (cgroup: LxcCgroup): string | undefined =>
    names.get(groupOf(cgroup)) ?? labelNames(cgroup.label).find((name) => known.has(name));

  const containers = new Map<string, ContainerProcesses<P>>();
  const host: P[] = [];
  for (const process of processes) {
    const { cgroup, monitorOf } = process;
    if (cgroup === null && monitorOf === null) {
      host.push(process);
      continue;
    }
    const name = cgroup === null ? monitorOf : nameOf(cgroup);
    if (name === undefined || name === null || !known.has(name)) continue;
    const entry = containers.get(name) ?? { init: null, members: [], monitors: [] };
    containers.set(name, entry);
    const isMonitor = cgroup === null || cgroup.role === 'monitor';
    (isMonitor ? entry.monitors : entry.members).push(process);
  }
  for (const entry of containers.values())
    entry.init =
      earliest(entry.members.filter(({ parent }) => monitorNames.has(parent))) ??
      earliest(entry.members);
  return { containers, host };
};
