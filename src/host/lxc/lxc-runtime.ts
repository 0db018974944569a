import type { ContainerName } from '../../core/ids.ts';
import type { Instance } from '../../core/observation.ts';
import type { ContainerRuntime, RuntimeState } from '../runtime.ts';
import { readBootId } from './ask-monitor.ts';
import { findContainer, listContainers } from './list-containers.ts';
import type { LxcContainer } from './list-containers.ts';
import { isLifeLeft, lifeCgroups } from './life-cgroups.ts';
import type { ToolResult } from './lxc-tool.ts';
import { diskFiles } from './read-config.ts';
import { readAddress } from './read-address.ts';
import { readState, readStates } from './read-state.ts';
import { startContainer } from './start-container.ts';
import { stopContainer } from './stop-container.ts';

export interface LxcOptions {
  /** Where LXC keeps its containers; must be the same absolute path in every call. */
  lxcPath?: string;
  procRoot?: string;
  /** The host's root; another one only in tests. */
  lowerRoot?: string;
  /** Told what a tool of LXC complained of, for the log: state and instance decide. */
  report?: (tool: string, name: ContainerName, result: ToolResult) => void;
}

export interface LxcRuntime extends ContainerRuntime {
  list: () => Promise<LxcContainer[]>;
  /** One of them, at the price of one; null: there is none of that name. */
  find: (name: ContainerName) => LxcContainer | null;
  state: (name: ContainerName) => Promise<RuntimeState>;
  /** States of many at the price of one; a container whose state is unknown is missing. */
  states: (names: readonly ContainerName[]) => Promise<Map<ContainerName, RuntimeState>>;
  /** Of the host's present boot, as it stands in the instances of this boot. */
  bootId: () => string;
  /** What whoever stops this instance takes away with it, and its monitor leaves when it is killed; none: that cannot be told. */
  tracesOf: (name: ContainerName, instance: Instance) => string[];
  /** Whether the traces of one that is down are there still. */
  isLeft: (traces: readonly string[]) => boolean;
}

export const DEFAULT_LXC_PATH = '/var/lib/lxc';

/** LXC (3 to 6) as a container runtime: states come from the monitors, never from exit codes. */
export const createLxcRuntime = (options: LxcOptions = {}): LxcRuntime => {
  const { lxcPath = DEFAULT_LXC_PATH, procRoot = '/proc', lowerRoot = '/' } = options;
  const report = options.report ?? (() => undefined);
  const places = {
    ...{ lxcPath, procRoot },
    ...{
      monitorPids: new Map<ContainerName, number>(),
      openFiles: new Map<ContainerName, number>(),
    },
  };
  const listing = { lxcPath, procRoot, lowerRoot, files: diskFiles() };
  return {
    list: () => listContainers(listing),
    find: (name) => findContainer(listing, name),
    state: (name) => readState(places, name),
    addressOf: async (name) => {
      const found = findContainer(listing, name);
      const { instance } = await readState(places, name);
      return found === null || instance === null
        ? null
        : readAddress(procRoot, instance, found.firstInterface);
    },
    states: (names) => readStates(places, names),
    bootId: () => readBootId(procRoot),
    tracesOf: (name, instance) => lifeCgroups(procRoot, name, instance),
    isLeft: isLifeLeft,
    stop: (name, stop) => stopContainer(places, name, { ...stop, report }),
    start: (name) => startContainer(places, name, { report }),
  };
};
