import { parseMountinfo } from '../../core/stale/parse-mountinfo.ts';
import type { Mount } from '../../core/stale/parse-mountinfo.ts';
import { reasonOf } from './error-code.ts';
import type { PackagedPathsReader } from './dpkg-paths.ts';
import { DEFAULT_EFFORT_LIMITS, effortKeeper } from './effort.ts';
import type { Effort, EffortLimits } from './effort.ts';
import { containerProgramsMemory } from './container-programs.ts';
import type { ContainerProgramsMemory } from './container-programs.ts';
import { contentReader } from './file-content.ts';
import type { ContentReader } from './file-content.ts';
import { importMemory } from './import-memory.ts';
import type { ImportMemory } from './import-memory.ts';
import { packagedPathsReader } from './packaged-paths-reader.ts';
import { openLowerLayer } from './lower-layer.ts';
import type { LowerLayer } from './lower-layer.ts';
import { sharedRoot } from './merged-root.ts';
import type { SharedRoot } from './merged-root.ts';
import { hostRules } from './host-rules.ts';
import type { HostRules, Packaged } from './host-rules.ts';
import { xattrReader } from './overlay-xattrs.ts';
import type { XattrReader } from './overlay-xattrs.ts';
import { mountsReader } from './mounts-reader.ts';
import { readProcText } from './read-processes.ts';
import type { SeenProcess } from './read-processes.ts';
import { DEFAULT_UPPER_LIMITS } from './upper-layer.ts';
import type { UpperLimits } from './upper-layer.ts';

/** A container to scan: its name and the layers of its root. */
export interface ContainerRoot {
  name: string;
  lower: string;
  upper: string;
}

/** What is remembered from one scan to the next: contents and attributes of unchanged files, programs of running processes. */
export interface ScanMemory {
  contents: ContentReader;
  xattrs: XattrReader;
  packagedPaths: PackagedPathsReader;
  imports: ImportMemory;
  programs: ContainerProgramsMemory;
}

export const createScanMemory = (): ScanMemory => ({
  contents: contentReader(),
  xattrs: xattrReader(),
  packagedPaths: packagedPathsReader(),
  imports: importMemory(),
  programs: containerProgramsMemory(),
});

export interface ScanOptions {
  containers: readonly ContainerRoot[];
  procRoot?: string;
  /** File lists of the packages in a lower layer; default: those of the host's own package system. */
  packagedPaths?: PackagedPathsReader;
  /** Keep it between scans: a warm one reads far less. */
  memory?: ScanMemory;
  limits?: UpperLimits;
  effortLimits?: EffortLimits;
  /** Milliseconds, never going back. */
  now?: () => number;
  /** Milliseconds of the wall clock, which file times are compared with. */
  wallNow?: () => number;
}

/** Everything that one scan looks at, and what it has seen so far. */
export interface Surroundings {
  procRoot: string;
  hostMounts: readonly Mount[];
  hostNamespace: string | null;
  bootId: string;
  memory: ScanMemory;
  limits: UpperLimits;
  /** Begins the work for one container. */
  startEffort: () => Effort;
  now: () => number;
  wallNow: () => number;
  lowerOf: (directory: string) => LowerLayer;
  /** The same layer, as programs that are read see it. */
  sharedRootOf: (directory: string) => SharedRoot;
  packagedOf: (directory: string) => Packaged;
  /** How processes of the host are judged, by the root whose packages they run. */
  hostRulesOf: (directory: string) => HostRules;
  /** Mounts that a process sees, or why they cannot be told. */
  mountsOf: (process: SeenProcess) => readonly Mount[] | { reason: string };
}

const remember = <V>(make: (key: string) => V): ((key: string) => V) => {
  const known = new Map<string, V>();
  return (key) => {
    const found = known.get(key);
    if (found !== undefined) return found;
    const made = make(key);
    known.set(key, made);
    return made;
  };
};

export const lookAround = (options: ScanOptions, hostNamespace: string | null): Surroundings => {
  const { procRoot = '/proc', limits = DEFAULT_UPPER_LIMITS } = options;
  const now = options.now ?? (() => performance.now());
  const memory = options.memory ?? createScanMemory();
  const reader = options.packagedPaths ?? memory.packagedPaths;
  const mountsOf = mountsReader(procRoot);
  const hostMounts = parseMountinfo(readProcText(`${procRoot}/self/mountinfo`) ?? '');
  const packagedOf = remember((directory): Packaged => {
    try {
      return { paths: reader(directory) };
    } catch (error) {
      return { reason: reasonOf(error) };
    }
  });
  const lowerOf = remember(openLowerLayer);
  return {
    procRoot,
    hostMounts,
    hostNamespace,
    bootId: (readProcText(`${procRoot}/sys/kernel/random/boot_id`) ?? '').trim(),
    memory,
    limits,
    startEffort: effortKeeper(options.effortLimits ?? DEFAULT_EFFORT_LIMITS, now),
    now,
    wallNow: options.wallNow ?? (() => Date.now()),
    lowerOf,
    sharedRootOf: remember((directory) => sharedRoot(lowerOf(directory), hostMounts)),
    packagedOf,
    hostRulesOf: remember((directory) => hostRules(hostMounts, packagedOf(directory))),
    mountsOf,
  };
};
