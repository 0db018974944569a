import process from 'node:process';
import { errorText } from '../../../core/error-text.ts';
import type { ContainerName } from '../../../core/ids.ts';
import type { ContainerScan } from '../../../core/observation.ts';
import { awaitChild, endChild, findStopsAtWork } from '../../../host/lxc/child-identity.ts';
import { askRuntime } from '../../../host/lxc/ask-runtime.ts';
import { createLxcRuntime } from '../../../host/lxc/lxc-runtime.ts';
import { findUnhidden } from '../../../host/lxc/provision/find-unhidden.ts';
import { hidePrivateDirectories } from '../../../host/lxc/provision/hide-private.ts';
import { parkedDirectory } from '../../../host/lxc/provision/parked.ts';
import { privateDirectories } from '../../../host/lxc/provision/private-directories.ts';
import type { PrivatePlaces } from '../../../host/lxc/provision/private-directories.ts';
import { layersOf } from '../../../host/proc/layers-of.ts';
import type { ContainerRoot } from '../../../host/proc/scan-surroundings.ts';
import { startScanThread } from '../../../host/proc/scan-thread.ts';
import type { PackageManager } from '../../../host/packages/package-manager.ts';
import { runBounded } from '../../../host/run-bounded.ts';
import type { RuntimeContainer } from '../../../host/runtime.ts';
import type { AgentHost, SettingsPort } from '../agent-host.ts';
import { createDrainPort } from './drain-port.ts';
import { createHealthPort } from './health-port.ts';
import { readPlatform, readRebootRequired } from './host-facts.ts';
import { createParkedPort } from './parked-port.ts';
import { createPackagesPort } from './packages-port.ts';

export interface RealHostOptions extends PrivatePlaces {
  /** Where `groundswell container park` leaves its notes. */
  parkedDirectory: string;
  packages: PackageManager;
  settings: SettingsPort;
  onProblem: (text: string) => void;
}

/**
 * How long what an upper layer hides is believed, in ms: directories once hidden stay hidden, others
 * are hidden by us (and known then) or by an owner. To ask costs a child process per container.
 */
const believedForMs = { hidden: 600_000, visible: 60_000 };

const unscanned = (name: ContainerName, reason: string): ContainerScan => ({
  name,
  instance: null,
  processes: 0,
  stale: [],
  shadowed: [],
  unreadable: [{ what: 'container', reason }],
});

/** Everything that the agent does and sees, on the real LXC and package manager of this host. */
export const openRealHost = (
  options: RealHostOptions,
): { host: AgentHost; close: () => Promise<void> } => {
  const { lxcPath, settings, onProblem } = options;
  const runtime = createLxcRuntime({
    lxcPath,
    report: (tool, name, result) => {
      onProblem(`${tool} ${name}: ${JSON.stringify(result)}`);
    },
  });
  const scanThread = startScanThread();
  const parked = parkedDirectory(options.parkedDirectory);
  const health = createHealthPort(runtime, runBounded, lxcPath);
  let agentStale = false;
  const visible = new Map<ContainerName, { paths: string[]; askedAt: number }>();

  const seenBy = async (container: RuntimeContainer): Promise<string[]> =>
    (await findUnhidden([container], options))[0]?.paths ?? [];

  /** Never rejects: one container must not keep the others from being looked at. */
  const unhidden = async (container: RuntimeContainer): Promise<string[]> => {
    if (container.root.kind === 'other') return [];
    const known = visible.get(container.name);
    if (known !== undefined) {
      const limitMs = believedForMs[known.paths.length === 0 ? 'hidden' : 'visible'];
      if (performance.now() - known.askedAt < limitMs) return known.paths;
    }
    const paths = await seenBy(container).catch(async (error: unknown) => {
      onProblem(
        `what ${container.name} can see of the host's private directories cannot be told: ${errorText(error)}`,
      );
      // What is not known to be hidden is visible.
      return (await privateDirectories(options)).map(({ path }) => path);
    });
    visible.set(container.name, { paths, askedAt: performance.now() });
    return paths;
  };

  let lastListed: ContainerRoot[] | null = null;

  const host: AgentHost = {
    runtime: {
      ...runtime,
      list: async () => {
        const containers = await runtime.list();
        lastListed = layersOf(containers);
        return containers;
      },
      ask: () => askRuntime(lxcPath),
    },
    health,
    drain: createDrainPort(runBounded, health),
    scan: {
      all: async () => {
        const containers = layersOf(await host.runtime.list());
        const scan = await scanThread.scanHost(containers);
        agentStale = scan.host.some(({ pid }) => pid === process.pid);
        return { containers: scan.containers, hostProcesses: scan.host };
      },
      one: async (name) => {
        const found = runtime.find(name);
        const [container] = layersOf(found === null ? [] : [found]);
        if (container === undefined) return unscanned(name, "it is not on the host's root");
        // The others are but names, which processes are told apart by: those of the last list will do.
        const others = (lastListed ?? layersOf(await host.runtime.list())).filter(
          (other) => other.name !== name,
        );
        return scanThread.scanContainer(name, [...others, container]);
      },
      stillStale: async (earlier) => {
        const found = runtime.find(earlier.name);
        const [container] = layersOf(found === null ? [] : [found]);
        return container !== undefined && (await scanThread.stillStale(earlier, container));
      },
    },
    packages: createPackagesPort(options.packages),
    stops: {
      atWork: () => findStopsAtWork().filter(({ ours }) => ours),
      ended: (child, timeoutMs) => awaitChild(child, timeoutMs),
      end: (child) => endChild(child),
    },
    settings,
    facts: async () => ({
      platform: await readPlatform(),
      rebootRequired: await readRebootRequired('/run'),
      agentStale,
    }),
    parked: createParkedPort(parked, onProblem),
    unhidden,
    whileDown: async (name) => {
      const container = runtime.find(name);
      if (container === null || (await unhidden(container)).length === 0) return;
      try {
        await hidePrivateDirectories(container, { places: options, state: runtime.state });
        visible.set(name, { paths: [], askedAt: performance.now() });
      } catch (error) {
        // Some may be hidden now.
        visible.delete(name);
        // The container comes back in any case; `status` and `doctor` name what it can still read.
        onProblem(`private directories of the host stay visible in ${name}: ${errorText(error)}`);
      }
    },
  };
  return { host, close: () => scanThread.close() };
};
