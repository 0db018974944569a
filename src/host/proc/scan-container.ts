import { firstOfEach } from '../../core/first-of-each.ts';
import type { ContainerScan, ShadowedFile, StaleFile, Unreadable } from '../../core/observation.ts';
import type { ContainerProcesses } from '../../core/stale/assign-processes.ts';
import { mayInterpret } from '../../core/stale/interpreted.ts';
import type { RootDevices } from '../../core/stale/locate-mapping.ts';
import { mountOf, mountsBelow } from '../../core/stale/parse-mountinfo.ts';
import type { Mount } from '../../core/stale/parse-mountinfo.ts';
import { readImage } from './container-programs.ts';
import type { ContainerPrograms } from './container-sources.ts';
import { EffortError } from './effort.ts';
import type { Effort } from './effort.ts';
import { reasonOf } from './error-code.ts';
import { findShadows } from './find-shadows.ts';
import type { FoundShadow } from './find-shadows.ts';
import { judgeFile } from './judge-files.ts';
import type { FileVerdict, RunningRoot } from './judge-files.ts';
import { judgeHostFiles } from './judge-host-files.ts';
import { ownVersions } from './own-versions.ts';
import { readMappings } from './read-mappings.ts';
import { readProcLink, stillRuns } from './read-processes.ts';
import type { SeenProcess } from './read-processes.ts';
import type { Packaged } from './host-rules.ts';
import { addPrograms, MAX_FINDINGS, nameOf, staleFile } from './scan-programs.ts';
import type { ContainerRoot, Surroundings } from './scan-surroundings.ts';
import type { UpperLayer } from './upper-layer.ts';

/** A container with its upper layer held open for the scan. */
export interface OpenedContainer {
  container: ContainerRoot;
  /** Null where it has none yet; `reason` where it cannot be read. */
  upper: UpperLayer | null | { reason: string };
  effort: Effort;
  /** Opens its upper layer once more. */
  openAgain: () => UpperLayer | null;
}

type Processes = ContainerProcesses<SeenProcess>;
type Findings = Pick<ContainerScan, 'stale' | 'shadowed' | 'unreadable'>;

/** What was found of a container, and what is to be judged once it has been read. */
export interface OpenedScan {
  scan: ContainerScan;
  /** Null where it runs no interpreter. */
  programs: ContainerPrograms | null;
}

/** Verdicts on files of one container: few are mapped by many processes, half a million by none. */
const MAX_REMEMBERED = 50_000;

/** Mounts of a process's namespace by the paths that `maps` shows. */
const mountsFor = (
  around: Surroundings,
  init: SeenProcess,
  process: SeenProcess,
): readonly Mount[] | { reason: string } => {
  if (process.mountNamespace === init.mountNamespace) return around.mountsOf(init);
  // In a namespace of its own a process may also have a root of its own: mountinfo begins there.
  const root = readProcLink(`${around.procRoot}/${process.task}/root`);
  const mounts = around.mountsOf(process);
  return 'reason' in mounts || root === null ? mounts : mountsBelow(root, mounts);
};

/** The devices of a running container's root, or why its processes cannot be judged. */
const rootDevices = (
  around: Surroundings,
  container: ContainerRoot,
  mounts: readonly Mount[] | { reason: string },
): RootDevices | { reason: string } => {
  if ('reason' in mounts) return { reason: `its init's ${mounts.reason}` };
  const root = mountOf(mounts, '/');
  if (root?.fileSystem !== 'overlay')
    return { reason: `its root is ${root?.fileSystem ?? 'unknown'}, not an overlay` };
  const layers = [container.lower, container.upper].flatMap((path) => {
    const mount = mountOf(around.hostMounts, path);
    return mount === null ? [] : [mount.device];
  });
  return { overlay: root.device, layers };
};

/** Those of its processes that run, and those of them that may be interpreters. */
interface Members {
  alive: number;
  programs: ContainerPrograms | null;
}

const scanMembers = (
  around: Surroundings,
  opened: OpenedContainer,
  packaged: Packaged,
  processes: Processes,
  found: Findings,
): Members => {
  const { container, upper, effort } = opened;
  const { init, members } = processes;
  if (init === null) return { alive: 0, programs: null };
  const untold: Members = { alive: members.length, programs: null };
  const cannot = (what: string, reason: string): void => {
    found.unreadable.push({ what, reason });
  };
  const devices = rootDevices(around, container, around.mountsOf(init));
  if ('reason' in devices) {
    // Its init has ended between the two looks: the container is on its way down.
    if (stillRuns(around.procRoot, init)) cannot('root', devices.reason);
    return untold;
  }
  // Inode numbers say nothing where the upper layer could not be looked into.
  if (upper === null || 'reason' in upper) {
    if (upper === null) cannot(`upper layer ${container.upper}`, 'it does not exist');
    return untold;
  }
  if (around.memory.programs.hangs(container.name)) {
    cannot('its processes', 'the memory of one of them gives no answer');
    return untold;
  }
  const lower = around.lowerOf(container.lower);
  const root: RunningRoot = { lower, upper, packaged, devices, effort };
  const verdicts = new Map<string, FileVerdict>();
  const programs: ContainerPrograms = {
    ...{ name: container.name, lower: container.lower, init, overlay: devices.overlay, effort },
    ...{ openUpper: opened.openAgain, interpreting: [] },
  };
  let alive = 0;
  for (const process of members) {
    effort.spend(0);
    const mappings = readMappings(around.procRoot, process);
    if (mappings.kind === 'gone') continue;
    alive += 1;
    const mounts = mountsFor(around, init, process);
    if (mappings.kind === 'unreadable' || 'reason' in mounts) {
      const reason = mappings.kind === 'unreadable' ? mappings.reason : null;
      if (stillRuns(around.procRoot, process))
        cannot(nameOf(process), reason ?? `its ${'reason' in mounts ? mounts.reason : ''}`);
      continue;
    }
    if (mappings.files.some((file) => file.executable && mayInterpret(file.text))) {
      const base = `${around.procRoot}/${process.task}`;
      const image = readImage(base);
      if (image !== null) programs.interpreting.push({ base, image, process, mounts });
    }
    const stale: StaleFile[] = [];
    const failed: Unreadable[] = [];
    for (const file of mappings.files) {
      const key = `${process.mountNamespace ?? process.pid} ${file.device} ${file.inode} ${file.executable} ${file.text}`;
      let verdict = verdicts.get(key);
      if (verdict === undefined) {
        effort.spend(0);
        verdict = judgeFile(around, root, mounts, file);
        if (verdicts.size >= MAX_REMEMBERED) verdicts.clear();
        if (verdict.kind !== 'gone') verdicts.set(key, verdict);
      }
      if (verdict.kind === 'stale') stale.push(staleFile(process, verdict.path, verdict.how));
      else if (verdict.kind === 'unreadable')
        failed.push({ what: `${nameOf(process)}: ${verdict.path}`, reason: verdict.reason });
    }
    if (stale.length + failed.length > 0 && stillRuns(around.procRoot, process)) {
      found.stale.push(...stale.slice(0, MAX_FINDINGS - found.stale.length));
      found.unreadable.push(...failed.slice(0, MAX_FINDINGS - found.unreadable.length));
    }
  }
  return { alive, programs: programs.interpreting.length === 0 ? null : programs };
};

const scanMonitors = (
  around: Surroundings,
  monitors: readonly SeenProcess[],
  lower: string,
  found: Findings,
): void => {
  for (const process of monitors) {
    const judged = judgeHostFiles(around, around.hostRulesOf(lower), process);
    if (judged.kind === 'unreadable')
      found.unreadable.push({ what: `monitor ${process.pid}`, reason: judged.reason });
    if (judged.kind !== 'judged' || judged.files.length === 0) continue;
    if (!stillRuns(around.procRoot, process)) continue;
    for (const { path, how } of judged.files)
      found.stale.push({
        ...{ pid: process.pid, startTime: process.startTime, command: process.status.command },
        ...{ path, kind: how, process: 'monitor' },
      });
  }
};

/** More of one container say nothing that these do not, once each package is named. */
const MAX_SHADOWED = 1_000;

/** However many packages there are: one that is not named could not be told from one that is not hidden (R27). */
const eachPackageFirst = (found: readonly FoundShadow[]): FoundShadow[] => {
  if (found.length <= MAX_SHADOWED) return [...found];
  const { first, others } = firstOfEach(found, (one) => one.package);
  return [...first, ...others.slice(0, Math.max(0, MAX_SHADOWED - first.length))];
};

const withOwnVersions = (
  found: readonly FoundShadow[],
  versions: ReadonlyMap<string, string>,
): ShadowedFile[] =>
  eachPackageFirst(found).map((one) => ({
    ...one,
    ownVersion: versions.get(one.package) ?? null,
  }));

const scanShadows = (
  around: Surroundings,
  { container, upper, effort }: OpenedContainer,
  packaged: Packaged,
  found: Findings,
): void => {
  if (upper === null) return;
  if ('reason' in upper || 'reason' in packaged) {
    if ('reason' in upper)
      found.unreadable.push({ what: `upper layer ${container.upper}`, reason: upper.reason });
    if ('reason' in packaged)
      found.unreadable.push({ what: "the packages' file lists", reason: packaged.reason });
    return;
  }
  const { contents } = around.memory;
  const lower = around.lowerOf(container.lower);
  const shadows = findShadows({ upper, lower, packaged: packaged.paths, contents, effort });
  if (shadows.length > 0)
    found.shadowed.push(...withOwnVersions(shadows, ownVersions(upper, packaged.paths)));
};

/** Whether one of these processes of a container runs replaced code; `false` where that cannot be told. */
export const runsReplacedCode = (
  around: Surroundings,
  opened: OpenedContainer,
  processes: Processes,
): boolean => {
  const found: Findings = { stale: [], shadowed: [], unreadable: [] };
  const packaged = around.packagedOf(opened.container.lower);
  try {
    const { programs } = opened.effort.during(() =>
      scanMembers(around, opened, packaged, processes, found),
    );
    if (programs !== null && found.stale.length === 0) addPrograms(around, programs, found);
  } catch {
    // A whole scan meets the same obstacle, and says so.
  }
  return found.stale.length > 0;
};

/** Scans one container whose processes are known, but for what its interpreters run. */
export const scanOpened = (
  around: Surroundings,
  opened: OpenedContainer,
  processes: Processes | undefined,
): OpenedScan => {
  const { container, upper, effort } = opened;
  const found: Findings = { stale: [], shadowed: [], unreadable: [] };
  const packaged = around.packagedOf(container.lower);
  let seen: Members = { alive: 0, programs: null };
  try {
    effort.during(() => {
      scanShadows(around, opened, packaged, found);
      if (processes === undefined) return;
      seen = scanMembers(around, opened, packaged, processes, found);
      scanMonitors(around, processes.monitors, container.lower, found);
    });
  } catch (error) {
    const layer =
      upper !== null && !('reason' in upper) ? `upper layer ${container.upper}` : 'scan';
    const what = error instanceof EffortError ? 'container' : layer;
    found.unreadable.push({ what, reason: reasonOf(error) });
  }
  const init = processes?.init ?? null;
  const scan: ContainerScan = {
    name: container.name,
    instance:
      init === null
        ? null
        : { bootId: around.bootId, initPid: init.pid, startTime: init.startTime },
    processes: seen.alive,
    ...found,
  };
  return { scan, programs: seen.programs };
};
