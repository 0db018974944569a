import { firstOfEach } from '../../core/first-of-each.ts';
import type { ContainerName } from '../../core/ids.ts';
import type { ContainerView } from '../../core/messages.ts';
import { sameInstance } from '../../core/observation.ts';
import type { ContainerScan, StaleHostProcess } from '../../core/observation.ts';
import { shadowingFiles } from '../../core/own-files.ts';
import type { RuntimeContainer, RuntimeState } from '../../host/runtime.ts';
import type { AgentHost } from './agent-host.ts';
import { containerView, viewLimits } from './container-view.ts';
import type { DownBy, Known } from './container-view.ts';
import { shortText } from './short-text.ts';

/** What the agent knows of its containers between two looks. */
export interface Knowledge {
  container: (name: ContainerName) => RuntimeContainer | null;
  state: (name: ContainerName) => RuntimeState | null;
  /** The newest scan, if there was one. */
  scan: (name: ContainerName) => ContainerScan | null;
  view: (name: ContainerName) => ContainerView | null;
  views: () => ContainerView[];
  hostProcesses: () => StaleHostProcess[];
  /** The list as the runtime has it now: new ones come in, gone ones go. */
  setList: (containers: readonly RuntimeContainer[]) => void;
  /** `null`: its runtime does not answer. */
  setState: (name: ContainerName, state: RuntimeState | null) => void;
  setScan: (scan: ContainerScan) => void;
  setHealth: (name: ContainerName, health: Known['health']) => void;
  setSurroundings: (
    name: ContainerName,
    surroundings: Pick<Known, 'optOut' | 'parked' | 'unhidden'>,
  ) => void;
  /**
   * Scan everything; answers the containers that are stale now, or keep a copy of their own of a file of one
   * of these packages.
   */
  scanAll: (patched: readonly string[]) => Promise<ContainerView[]>;
}

/** Of the host itself; with a path or two each it is known what they wait for. */
const tellProcesses = { atMost: 500, paths: 3 };

/** Units are what is restarted: none is left out because another has many processes. */
const fittingProcesses = (found: readonly StaleHostProcess[]): StaleHostProcess[] => {
  const { first, others } = firstOfEach(found, ({ unit }) => unit);
  return [...first, ...others].slice(0, tellProcesses.atMost).map((one) => ({
    ...one,
    paths: one.paths.slice(0, tellProcesses.paths).map(shortText),
  }));
};

const unprobed: Known['health'] = { health: 'unknown', reason: 'it was not probed yet' };

export const createKnowledge = (
  scanner: AgentHost['scan'],
  downBy: (name: ContainerName) => DownBy,
): Knowledge => {
  let known = new Map<ContainerName, Known>();
  let hostProcesses: StaleHostProcess[] = [];

  const change = (name: ContainerName, changes: Partial<Known>): void => {
    const before = known.get(name);
    if (before !== undefined) known.set(name, { ...before, ...changes });
  };
  const viewOf = (one: Known, patched: readonly string[] = []): ContainerView =>
    containerView(one, downBy(one.container.name), {
      ...viewLimits(known.size),
      patched,
    });
  const view = (name: ContainerName): ContainerView | null => {
    const one = known.get(name);
    return one === undefined ? null : viewOf(one);
  };
  const views = (): ContainerView[] => [...known.values()].map((one) => viewOf(one));

  return {
    container: (name) => known.get(name)?.container ?? null,
    state: (name) => known.get(name)?.state ?? null,
    scan: (name) => known.get(name)?.scan ?? null,
    view,
    views,
    hostProcesses: () => hostProcesses,
    setList: (containers) => {
      known = new Map(
        containers.map((container) => [
          container.name,
          {
            state: null,
            scan: null,
            health: unprobed,
            optOut: null,
            parked: null,
            unhidden: [],
            ...known.get(container.name),
            container,
          },
        ]),
      );
    },
    setState: (name, state) => {
      const before = known.get(name)?.state?.instance ?? null;
      // Another life of the container: what was probed in the former one says nothing of it.
      const another = !sameInstance(before, state?.instance ?? null);
      change(name, { state, ...(another ? { health: unprobed } : {}) });
    },
    setScan: (scan) => {
      change(scan.name, { scan });
    },
    setHealth: (name, health) => {
      change(name, { health });
    },
    setSurroundings: change,
    scanAll: async (patched) => {
      const scanned = await scanner.all();
      for (const scan of scanned.containers) change(scan.name, { scan });
      hostProcesses = fittingProcesses(scanned.hostProcesses);
      return [...known.values()]
        .map((one) => viewOf(one, patched))
        .filter(
          ({ stale, shadowed }) => stale.length > 0 || shadowingFiles(shadowed, patched).length > 0,
        );
    },
  };
};
