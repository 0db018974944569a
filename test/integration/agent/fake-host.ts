import type { ContainerName } from '../../../src/core/ids.ts';
import type { ContainerScan, Instance, StaleFile } from '../../../src/core/observation.ts';
import { HostServiceSettings } from '../../../src/core/service-settings.ts';
import type { PackageWork } from '../../../src/host/packages/work-in-progress.ts';
import type { ChildIdentity, RuntimeContainer, RuntimeState } from '../../../src/host/runtime.ts';
import type { AgentHost, ParkedNote } from '../../../src/workers/agent/agent-host.ts';

export const settingsHash = 'hash-of-settings';

const staleFile: StaleFile = {
  pid: 100,
  startTime: '1',
  command: 'web',
  path: '/usr/lib/libgsdemo.so.1.0.0',
  kind: 'replaced',
  process: 'container',
};

interface FakeContainer {
  instance: Instance | null;
  stale: boolean;
  drained: boolean;
  removed: boolean;
}

/** A host of scripted containers: what it does outlives the agent, as on a real one. */
export interface FakeHost {
  host: AgentHost;
  /** What happened on the host, in order: `drain web-1`, `stop web-1`, … */
  events: string[];
  container: (name: ContainerName) => FakeContainer;
  instance: (name: ContainerName) => Instance;
  /** Each running process runs old code from now. */
  replaceLibrary: () => void;
  ownerStops: (name: ContainerName) => void;
  /** It goes down, and nobody has stopped it (R25). */
  dies: (name: ContainerName) => void;
  atRest: { ok: boolean; reason: string };
  atWork: PackageWork | null;
  /** What the host gate finds besides the containers. */
  abilities: { network: boolean; dns: boolean };
  runtimeProblem: string | null;
  /** Awaited in the middle of each stop, after its child was named. */
  duringStop: () => Promise<void>;
  healthy: boolean;
  /** Whether services have something to drain. */
  drains: boolean;
  /** Notes on containers that are down on purpose. */
  parked: Map<ContainerName, ParkedNote>;
}

export const createFakeHost = (names: readonly ContainerName[]): FakeHost => {
  let nextPid = 1_000;
  const instance = (): Instance => {
    nextPid += 1;
    return { bootId: 'boot', initPid: nextPid, startTime: String(nextPid) };
  };
  const containers = new Map<ContainerName, FakeContainer>(
    names.map((name) => [
      name,
      { instance: instance(), stale: false, drained: false, removed: false },
    ]),
  );
  const events: string[] = [];
  const left = new Set<string>();
  const stops = new Map<number, { name: string; over: Promise<void>; child: ChildIdentity }>();
  const settings = HostServiceSettings.parse({ minHealthyTimeMs: 0, stopTimeoutMs: 1_000 });
  const get = (name: ContainerName): FakeContainer => {
    const found = containers.get(name);
    if (found === undefined) throw new Error(`no container ${name}`);
    return found;
  };
  const stateOf = (name: ContainerName): RuntimeState => {
    const found = containers.get(name);
    if (found === undefined || found.removed) return { state: 'gone', instance: null };
    return found.instance === null
      ? { state: 'stopped', instance: null }
      : { state: 'running', instance: found.instance };
  };
  const listed = (): RuntimeContainer[] =>
    [...containers]
      .filter(([, { removed }]) => !removed)
      .map(([name]) => ({
        name,
        root: { kind: 'host-overlay', lower: '/', upper: `/var/lib/lxc/${name}/delta0` },
        groups: ['web'],
        address: '10.0.0.2',
        autostart: true,
      }));
  const scanOf = (name: ContainerName): ContainerScan => {
    const found = get(name);
    return {
      name,
      instance: found.instance,
      processes: 1,
      stale: found.stale && found.instance !== null ? [staleFile] : [],
      shadowed: [],
      unreadable: [],
    };
  };

  const fake: FakeHost = {
    events,
    container: get,
    instance: (name) => {
      const { instance: present } = get(name);
      if (present === null) throw new Error(`${name} is down`);
      return present;
    },
    replaceLibrary: () => {
      for (const one of containers.values()) if (one.instance !== null) one.stale = true;
    },
    ownerStops: (name) => {
      get(name).instance = null;
    },
    dies: (name) => {
      left.add(`${name} ${get(name).instance?.startTime ?? ''}`);
      get(name).instance = null;
    },
    atRest: { ok: true, reason: '' },
    atWork: null,
    abilities: { network: true, dns: true },
    runtimeProblem: null,
    duringStop: () => Promise.resolve(),
    healthy: true,
    drains: true,
    parked: new Map(),
    host: {
      runtime: {
        addressOf: () => Promise.resolve(null),
        list: () => Promise.resolve(listed()),
        state: (name) => Promise.resolve(stateOf(name)),
        states: (asked) => Promise.resolve(new Map(asked.map((name) => [name, stateOf(name)]))),
        bootId: () => 'boot',
        tracesOf: (name, { startTime }) => [`${name} ${startTime}`],
        isLeft: ([trace = '']) => left.has(trace),
        ask: () => Promise.resolve(fake.runtimeProblem),
        stop: async (name, { onChild }) => {
          nextPid += 1;
          const child = { pid: nextPid, startTime: String(nextPid) };
          const work = async (): Promise<void> => {
            await fake.duringStop();
            get(name).instance = null;
          };
          events.push(`stop ${name}`);
          const over = work();
          stops.set(child.pid, { name, over, child });
          onChild?.(child);
          await over;
          stops.delete(child.pid);
          return stateOf(name);
        },
        start: (name) => {
          const one = get(name);
          if (one.instance === null) {
            events.push(`start ${name}`);
            one.instance = instance();
            one.stale = false;
          }
          return Promise.resolve(stateOf(name));
        },
      },
      health: {
        probe: ({ name }) =>
          Promise.resolve(
            fake.healthy && get(name).instance !== null
              ? { health: 'healthy', reason: '' }
              : { health: 'unhealthy', reason: 'no answer' },
          ),
        watch: async ({ target, deadline, signal }) => {
          for (let n = 0; ; n++) {
            if (signal.aborted) return { result: 'aborted', reason: '' };
            if (get(target.name).instance === null) return { result: 'down', reason: 'down' };
            if (fake.healthy) return { result: 'healthy', reason: '' };
            if (deadline && n > 3) return { result: 'deadline', reason: 'no answer' };
            await new Promise((resolve) => setTimeout(resolve, 5));
          }
        },
      },
      drain: {
        drains: () => fake.drains,
        look: ({ name }) => Promise.resolve(get(name).drained ? 'maint' : 'ready'),
        drain: ({ name }) => {
          events.push(`drain ${name}`);
          get(name).drained = true;
          return Promise.resolve({ ok: true });
        },
        undrain: ({ name }, _settings, found) => {
          events.push(`undrain ${name} as ${found ?? 'unknown'}`);
          get(name).drained = found === 'maint';
          return Promise.resolve({ ok: true });
        },
      },
      scan: {
        all: () =>
          Promise.resolve({
            containers: listed().map(({ name }) => scanOf(name)),
            hostProcesses: [],
          }),
        one: (name) => Promise.resolve(scanOf(name)),
        stillStale: ({ name }) => Promise.resolve(scanOf(name).stale.length > 0),
      },
      packages: {
        atRest: () => Promise.resolve(fake.atRest),
        atWork: () => fake.atWork,
        upgrade: ({ packages }) => {
          events.push('upgrade');
          fake.replaceLibrary();
          const changes = packages.map(({ name, version }) => ({
            ...{ name, arch: 'amd64', source: name },
            ...{ from: '1.0-1', to: version },
          }));
          return Promise.resolve({ ok: true, reason: '', remedy: '', changes, transcript: '' });
        },
        findUpgrade: () => Promise.resolve(null),
        room: () => Promise.resolve([]),
        inventoryMark: () => Promise.resolve(''),
        inventory: () =>
          Promise.resolve({
            inventory: { platform: 'debian-12', packages: [] },
            offers: [],
            securitySuites: [],
            problem: null,
          }),
        refresh: () => Promise.resolve(null),
        abilities: () => Promise.resolve({ ...fake.abilities }),
      },
      stops: {
        atWork: () => [...stops.values()].map(({ name, child }) => ({ name, ...child })),
        ended: async ({ pid }) => {
          await stops.get(pid)?.over;
          return true;
        },
        end: async ({ pid }) => {
          await stops.get(pid)?.over;
        },
      },
      settings: {
        of: () => settings,
        hashes: () => ({ '*': settingsHash }),
        serviceOf: () => 'web',
        optOut: () => null,
      },
      facts: () =>
        Promise.resolve({ platform: 'debian-12', rebootRequired: [], agentStale: false }),
      parked: {
        notes: () => Promise.resolve(fake.parked),
        forget: ({ name }) => Promise.resolve(void fake.parked.delete(name)),
      },
      unhidden: () => Promise.resolve([]),
      whileDown: () => Promise.resolve(),
    },
  };
  return fake;
};
