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
  /** What it signs with: somebody who broke into it has that. */
  key: SigningKey;
  /** Warnings of the agent. */
  logged: string[];
}

export interface MachineOptions {
  hostId: string;
  containers: readonly string[];
  /** Of the server. */
  socket: string;
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
  report: { againMs: { first: 300, largest: 2_000 }, pollMs: 50, paceMs: 5 },
  observe: { ...agentTimes.observe, lookEveryMs: 100, heartbeatMs: 300 },
  gate: { ...agentTimes.gate, limitMs: 100, everyMs: 20 },
};

/** Makes a host known to the server, and starts its agent. */
export const enrolMachine = async (options: MachineOptions): Promise<Machine> => {
  const { hostId, containers, socket, serverKeys, redis, directory } = options;
  const keys = await loadOrMakeKeys(join(directory, `${hostId}.json`), null);
  const [publicKey = ''] = publicKeysOf(keys);
  await callApi(socket, 'POST', '/v1/keys', {
    ...{ actor: 'ann', hostId, change: { kind: 'enrol', machineId: hostId, publicKey } },
  });
  await act(socket, { action: 'host-add', hostId, zone: null, cap: null });
  const fake = createFakeHost(containers);
  fake.drains = false;
  const logged: string[] = [];
  const watched: PackageEvents[] = [];
  const agent = await startAgent({
    ...{ hostId, version: '0', journalPath: join(directory, hostId, 'journal.sqlite') },
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
  return { fake, agent, packages, key: keys.active, logged };
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
