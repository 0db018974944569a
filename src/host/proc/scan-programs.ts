import type { ContainerScan, StaleFile } from '../../core/observation.ts';
import { judgePrograms } from './container-sources.ts';
import type { ContainerPrograms } from './container-sources.ts';
import { stillRuns } from './read-processes.ts';
import type { SeenProcess } from './read-processes.ts';
import type { Surroundings } from './scan-surroundings.ts';

/** More files of one container say nothing that so many do not. */
export const MAX_FINDINGS = 20_000;

/** How a process of a container is called where something of it could not be read. */
export const nameOf = ({ pid, status }: SeenProcess): string => `process ${pid} ${status.command}`;

/** A finding about a process of a container. */
export const staleFile = (
  { pid, startTime, status }: SeenProcess,
  path: string,
  kind: StaleFile['kind'],
): StaleFile => ({ pid, startTime, command: status.command, path, kind, process: 'container' });

/** Adds what its interpreters run that the host has replaced, as far as that is known by now. */
export const addPrograms = (
  around: Surroundings,
  programs: ContainerPrograms,
  found: Pick<ContainerScan, 'stale' | 'unreadable'>,
): void => {
  const { replaced, unread } = programs.effort.during(() => judgePrograms(around, programs));
  for (const { process, paths } of replaced)
    if (stillRuns(around.procRoot, process))
      found.stale.push(
        ...paths
          .slice(0, MAX_FINDINGS - found.stale.length)
          .map((path) => staleFile(process, path, 'replaced')),
      );
  for (const { process, path, reason } of unread) {
    if (process !== null && !stillRuns(around.procRoot, process)) continue;
    const who = process === null ? 'its interpreted programs' : nameOf(process);
    found.unreadable.push({ what: path === undefined ? who : `${who}: ${path}`, reason });
  }
};

/** A scan but for what interpreters run in containers. */
export interface BegunScan<T> {
  /** Reads that beside the scan, where it is not known yet; ends within a bound. */
  read: () => Promise<void>;
  /** The whole scan, with what is known by then. */
  finish: () => T;
}

/** Reads what the interpreters of containers run, beside the scan. */
export const readPrograms = async (
  around: Surroundings,
  found: readonly ContainerPrograms[],
): Promise<void> => {
  if (found.length === 0) return;
  await around.memory.programs.read(
    found.map(({ name, init, interpreting }) => ({
      ...{ name, life: `${init.pid} ${init.startTime}`, images: interpreting },
    })),
  );
};

/** A scan to its end. */
export const completed = async <T>({ read, finish }: BegunScan<T>): Promise<T> => {
  await read();
  return finish();
};
