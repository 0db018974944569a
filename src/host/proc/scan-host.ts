import type { ContainerScan, StaleHostProcess, Unreadable } from '../../core/observation.ts';
import { unitOf } from '../../core/stale/parse-cgroup.ts';
import { mountOf } from '../../core/stale/parse-mountinfo.ts';
import { reasonOf } from './error-code.ts';
import { entriesToAsk } from './find-shadows.ts';
import { changedSources } from './interpreted.ts';
import { judgeHostFiles } from './judge-host-files.ts';
import type { XattrNamespace } from './overlay-xattrs.ts';
import {
  assignSeen,
  processReader,
  readProcLink,
  seeProcess,
  seeProcesses,
  stillRuns,
} from './read-processes.ts';
import type { SeenProcess } from './read-processes.ts';
import { runsReplacedCode, scanOpened } from './scan-container.ts';
import type { OpenedContainer, OpenedScan } from './scan-container.ts';
import { addPrograms, completed, readPrograms } from './scan-programs.ts';
import type { BegunScan } from './scan-programs.ts';
import { lookAround } from './scan-surroundings.ts';
import type { ContainerRoot, ScanOptions, Surroundings } from './scan-surroundings.ts';
import { openUpperLayer } from './upper-layer.ts';
import type { UpperLayer } from './upper-layer.ts';

/** What one look at a whole host found. */
export interface HostScan {
  containers: ContainerScan[];
  /** Processes of the host itself that run replaced code. */
  host: StaleHostProcess[];
  /** What could not be read outside of containers. */
  unreadable: Unreadable[];
  tookMs: number;
}

/** Attributes of an overlay that a user namespace mounted have other names. */
const namespaceOf = (around: Surroundings, init: SeenProcess | null): XattrNamespace => {
  const mounts = init === null ? [] : around.mountsOf(init);
  const root = 'reason' in mounts ? null : mountOf(mounts, '/');
  return root?.options.split(',').includes('userxattr') === true ? 'user' : 'trusted';
};

const openContainer = (
  around: Surroundings,
  container: ContainerRoot,
  init: SeenProcess | null,
): OpenedContainer => {
  const { memory, limits, now } = around;
  const effort = around.startEffort();
  const open = (): UpperLayer | null =>
    openUpperLayer(container.upper, {
      ...{ xattrs: memory.xattrs, namespace: namespaceOf(around, init), limits, now },
    });
  try {
    return { container, effort, upper: open(), openAgain: open };
  } catch (error) {
    return { container, effort, upper: { reason: reasonOf(error) }, openAgain: open };
  }
};

/** Asks for the attributes of all upper layers' entries at once. */
const prefetchAttributes = (around: Surroundings, opened: readonly OpenedContainer[]): void => {
  const questions = opened.flatMap(({ container, upper, effort }) => {
    const packaged = around.packagedOf(container.lower);
    if (upper === null || 'reason' in upper || 'reason' in packaged) return [];
    const lower = around.lowerOf(container.lower);
    const { contents } = around.memory;
    const search = { upper, lower, packaged: packaged.paths, contents, effort };
    try {
      return upper.questions(entriesToAsk(search));
    } catch {
      // The scan of this container meets the same obstacle, and says so.
      return [];
    }
  });
  around.memory.xattrs.prefetch(questions);
};

const close = (opened: readonly OpenedContainer[]): void => {
  for (const { upper } of opened) if (upper !== null && !('reason' in upper)) upper.close();
};

const scanHostProcesses = (
  around: Surroundings,
  processes: readonly SeenProcess[],
  unreadable: Unreadable[],
): StaleHostProcess[] => {
  const rules = around.hostRulesOf('/');
  return processes.flatMap((process) => {
    const { pid, status, cgroupText } = process;
    const judged = judgeHostFiles(around, rules, process);
    if (judged.kind === 'unreadable' && stillRuns(around.procRoot, process))
      unreadable.push({ what: `process ${pid} ${status.command}`, reason: judged.reason });
    if (judged.kind !== 'judged') return [];
    const sources = changedSources(around.procRoot, process, {
      memory: around.memory.imports,
      wallNowMs: around.wallNow(),
    });
    const paths = [...new Set([...judged.files.map(({ path }) => path), ...sources])];
    if (paths.length === 0 || !stillRuns(around.procRoot, process)) return [];
    return [{ pid, command: status.command, paths, unit: unitOf(cgroupText) }];
  });
};

/** Processes that appear while a scan is at work are looked for this many times. */
const ROUNDS = 3;

const merge = (all: OpenedScan, fresh: OpenedScan): void => {
  const { scan: into } = all;
  const { scan: more, programs } = fresh;
  if (all.programs === null) all.programs = programs;
  else all.programs.interpreting.push(...(programs?.interpreting ?? []));
  into.processes += more.processes;
  into.stale.push(...more.stale);
  into.unreadable.push(
    ...more.unreadable.filter(
      ({ what, reason }) =>
        !into.unreadable.some((known) => known.what === what && known.reason === reason),
    ),
  );
};

/**
 * Looks at every process of the host once, and into each container's upper layer: which containers
 * run code that the host has since replaced, which carry shadowed copies, which processes of the
 * host itself are stale, and what could not be read. Synchronous: see `startScanThread`. Changes
 * nothing, and reads nothing but procfs, the layers and the packages' file lists; throws only when
 * procfs cannot be listed.
 */
export const beginHostScan = (options: ScanOptions): BegunScan<HostScan> => {
  const now = options.now ?? (() => performance.now());
  const begin = now();
  const reader = processReader(options.procRoot ?? '/proc');
  const around = lookAround(options, readProcLink(`${reader.procRoot}/self/ns/mnt`));
  const names = new Set(options.containers.map(({ name }) => name));
  const seen = seeProcesses(reader);
  const assigned = assignSeen(seen, names);
  const initOf = (name: string): SeenProcess | null => assigned.containers.get(name)?.init ?? null;
  const opened = options.containers.map((one) => openContainer(around, one, initOf(one.name)));
  const unreadable: Unreadable[] = [];
  try {
    prefetchAttributes(around, opened);
    const scans = opened.map((one) =>
      scanOpened(around, one, assigned.containers.get(one.container.name)),
    );
    const host = scanHostProcesses(around, assigned.host, unreadable);
    for (let round = 0; round < ROUNDS; round += 1) {
      const fresh = seeProcesses(reader);
      if (fresh.length === 0) break;
      seen.push(...fresh);
      const again = assignSeen(seen, names);
      const isFresh = new Set(fresh);
      for (const [at, one] of opened.entries()) {
        const all = again.containers.get(one.container.name);
        const scan = scans[at];
        if (all === undefined || scan === undefined) continue;
        const part = {
          init: all.init,
          members: all.members.filter((process) => isFresh.has(process)),
          monitors: all.monitors.filter((process) => isFresh.has(process)),
        };
        if (part.members.length + part.monitors.length > 0)
          merge(scan, scanOpened(around, one, part));
      }
      host.push(
        ...scanHostProcesses(
          around,
          again.host.filter((process) => isFresh.has(process)),
          unreadable,
        ),
      );
    }
    return {
      read: () =>
        readPrograms(
          around,
          scans.map(({ programs }) => programs).filter((one) => one !== null),
        ),
      finish: () => {
        for (const { scan, programs } of scans)
          if (programs !== null) addPrograms(around, programs, scan);
        return {
          ...{ containers: scans.map(({ scan }) => scan), host, unreadable },
          tookMs: now() - begin,
        };
      },
    };
  } finally {
    close(opened);
  }
};

/** The same to its end. */
export const scanHost = async (options: ScanOptions): Promise<HostScan> =>
  completed(beginHostScan(options));

/**
 * Scans a single container, as the checks before and after its restart do. Throws when it is none of
 * `containers`: they are all of the host, for one's processes are told from another's by their names.
 */
export const beginContainerScan = (
  name: string,
  options: ScanOptions,
): BegunScan<ContainerScan> => {
  const container = options.containers.find((one) => one.name === name);
  if (container === undefined) throw new Error(`scan of ${name}: no such container was given`);
  const reader = processReader(options.procRoot ?? '/proc', name);
  const around = lookAround(options, readProcLink(`${reader.procRoot}/self/ns/mnt`));
  const names = new Set(options.containers.map((one) => one.name));
  const processes = assignSeen(seeProcesses(reader), names).containers.get(name);
  const opened = openContainer(around, container, processes?.init ?? null);
  try {
    prefetchAttributes(around, [opened]);
    const { scan, programs } = scanOpened(around, opened, processes);
    return {
      read: () => readPrograms(around, programs === null ? [] : [programs]),
      finish: () => {
        if (programs !== null) addPrograms(around, programs, scan);
        return scan;
      },
    };
  } finally {
    close([opened]);
  }
};

/** The same to its end. */
export const scanContainer = async (name: string, options: ScanOptions): Promise<ContainerScan> =>
  completed(beginContainerScan(name, options));

/** Processes of a container that are asked again, of those that a scan found stale. */
const ASKED_AGAIN = 4;

/**
 * Whether something that an earlier scan found stale in `container` still is: its process is the same one, and runs
 * a file that the host has replaced. One is enough for a whole scan to say the same, at a fraction of its price;
 * `false` says nothing, and calls for one. Throws only what opening the container's layers throws.
 */
export const stillStale = (
  earlier: Pick<ContainerScan, 'instance' | 'stale'>,
  container: ContainerRoot,
  options: Omit<ScanOptions, 'containers'>,
): boolean => {
  const { instance } = earlier;
  if (instance === null) return false;
  const reader = processReader(options.procRoot ?? '/proc', container.name);
  const init = seeProcess(reader, instance.initPid);
  if (init?.startTime !== instance.startTime) return false;
  const startTimes = new Map(
    earlier.stale
      .filter(({ process }) => process === 'container')
      .map(({ pid, startTime }) => [pid, startTime]),
  );
  const suspects = [...startTimes.keys()]
    .slice(0, ASKED_AGAIN)
    .map((pid) => (pid === init.pid ? init : seeProcess(reader, pid)))
    .filter((one) => one !== null && startTimes.get(one.pid) === one.startTime);
  // The monitor tells which container the processes below it are of.
  const around = new Set([seeProcess(reader, init.parent), init, ...suspects]);
  const seen = [...around].filter((one) => one !== null);
  const assigned = assignSeen(seen, new Set([container.name])).containers.get(container.name);
  if (assigned?.init !== init) return false;
  const members = assigned.members.filter((one) => suspects.includes(one));
  const surroundings = lookAround(
    { ...options, containers: [container] },
    readProcLink(`${reader.procRoot}/self/ns/mnt`),
  );
  const opened = openContainer(surroundings, container, init);
  try {
    return runsReplacedCode(surroundings, opened, { init, members, monitors: [] });
  } finally {
    close([opened]);
  }
};
