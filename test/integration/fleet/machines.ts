import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { callApi } from '../../../src/api/client.ts';
import type { RedisAddress } from '../../../src/jobs/connections.ts';
import { loadOrMakeKeys } from '../../../src/jobs/key-files.ts';
import type { SigningKey, VerifyKey } from '../../../src/jobs/signing-key.ts';
import { publicKeysOf } from '../../../src/main/key-card.ts';
import { agentTimes } from '../../../src/workers/agent/agent-options.ts';
import type { RunningAgent } from '../../../src/workers/agent/agent-options.ts';
import type { PackageEvents } from '../../../src/workers/agent/follow-packages.ts';
import { startAgent } from '../../../src/workers/agent/start-agent.ts';
import { createFakeHost } from '../agent/fake-host.ts';
import type { FakeHost } from '../agent/fake-host.ts';

/** What a server and its agents may take for anything, on a busy machine. */
export const wait = { deadlineMs: 60_000, everyMs: 25 };

/** A host whose containers are scripted, and its real agent. */
export interface Machine {
  fake: FakeHost;
  agent: RunningAgent;
  packages: PackageEvents;
  /** Where its journal lies, below the directory of all. */
  journal: string;
  /** Starts the agent anew, which was stopped, over the journal in this folder; none is there: a new one. */
  restart: (journal: string) => Promise<void>;
  /** What it signs with: somebody who broke into it has that. */
  key: SigningKey;
  /** Warnings of the agent. */
  logged: string[];
}

export interface MachineOptions {
  hostId: string;
  containers: readonly string[];
  serverKeys: () => VerifyKey[];
  redis: RedisAddress;
  /** Holds its journal and its key. */
  directory: string;
}

/** What a person does at the server. */
export const act = (socket: string, action: object): Promise<unknown> =>
  callApi(socket, 'POST', '/v1/actions', { actor: 'ann', action });

/** Short, so that a test sees in seconds what takes minutes elsewhere. */
const times = {
  ...agentTimes,
  ...{ tickMs: 50, junkEveryMs: 500 },
  report: { againMs: { first: 300, largest: 2_000 }, pollMs: 50, paceMs: 5, gatherMs: 0 },
  observe: { ...agentTimes.observe, lookEveryMs: 100, heartbeatMs: 300 },
  gate: { ...agentTimes.gate, limitMs: 100, everyMs: 20 },
};

const keysOf = (directory: string, hostId: string) =>
  loadOrMakeKeys(join(directory, `${hostId}.json`), null);

/** Makes a host, whose key lies or will lie in this directory, known to the server behind this socket. */
export const enrolHost = async (
  socket: string,
  { hostId, directory }: Pick<MachineOptions, 'hostId' | 'directory'>,
): Promise<void> => {
  const [publicKey = ''] = publicKeysOf(await keysOf(directory, hostId));
  await callApi(socket, 'POST', '/v1/keys', {
    ...{ actor: 'ann', hostId, change: { kind: 'enrol', machineId: hostId, publicKey } },
  });
  await act(socket, { action: 'host-add', hostId, zone: null, cap: null });
};

/** Starts the agent of a host that is enrolled. */
export const startMachine = async (options: MachineOptions): Promise<Machine> => {
  const { hostId, containers, serverKeys, redis, directory } = options;
  const keys = await keysOf(directory, hostId);
  const fake = createFakeHost(containers);
  fake.drains = false;
  const logged: string[] = [];
  const start = async (
    journal: string,
  ): Promise<Pick<Machine, 'agent' | 'packages' | 'journal'>> => {
    const watched: PackageEvents[] = [];
    const agent = await startAgent({
      ...{ hostId, version: '0', journalPath: join(directory, journal, 'journal.sqlite') },
      ...{ redis, serverKeys, signingKey: () => keys.active, host: fake.host, times },
      describeSettings: (salt) => ({ salt, settings: {} }),
      watchPackages: (events) => {
        watched.push(events);
        setImmediate(events.onQuiet);
        const done = (): Promise<void> => Promise.resolve();
        return Promise.resolve({ suspend: done, resume: done, stop: done });
      },
      clock: { monoMs: () => performance.now(), wallMs: Date.now, newId: randomUUID },
      logger: {
        info: () => undefined,
        warn: (...said: unknown[]) => void logged.push(String(said.at(-1))),
      },
    });
    const [packages] = watched;
    if (packages === undefined) throw new Error('nobody watches packages');
    return { agent, packages, journal };
  };
  const machine: Machine = {
    ...(await start(hostId)),
    ...{ fake, key: keys.active, logged },
    restart: async (journal) => {
      Object.assign(machine, await start(journal));
    },
  };
  return machine;
};

/** Makes a host known to the server, and starts its agent. */
export const enrolMachine = async ({
  socket,
  ...options
}: MachineOptions & { socket: string }): Promise<Machine> => {
  await enrolHost(socket, options);
  return startMachine(options);
};

/** Somebody upgrades a library, below everything that runs, to this version. */
export const upgradeMachine = async (
  { fake, packages }: Machine,
  version: number,
): Promise<void> => {
  packages.onOpen();
  fake.replaceLibrary();
  const change = { name: 'libgs-demo1', arch: 'amd64', source: 'gs-demo' };
  await packages.onTransaction({
    changes: [{ ...change, from: String(version - 1), to: String(version) }],
  });
};

/** Containers of these hosts that were stopped (`h1/web-1`), once for each time, host by host. */
export const stopsOf = (machines: ReadonlyMap<string, Machine>): string[] =>
  [...machines].flatMap(([id, { fake }]) =>
    fake.events.flatMap((event) => (event.startsWith('stop ') ? [`${id}/${event.slice(5)}`] : [])),
  );
