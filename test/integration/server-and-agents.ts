import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { callApi } from '../../src/api/client.ts';
import type { StatusView } from '../../src/cli/views.ts';
import type { RedisAddress } from '../../src/jobs/connections.ts';
import { loadOrMakeKeys } from '../../src/jobs/key-files.ts';
import { verifyKeyOf } from '../../src/jobs/signing-key.ts';
import { publicKeysOf } from '../../src/main/key-card.ts';
import { agentTimes } from '../../src/workers/agent/agent-options.ts';
import type { RunningAgent } from '../../src/workers/agent/agent-options.ts';
import type { PackageEvents } from '../../src/workers/agent/follow-packages.ts';
import { startAgent } from '../../src/workers/agent/start-agent.ts';
import { waitUntil } from '../bed/wait-until.ts';
import { createFakeHost } from './agent/fake-host.ts';
import type { FakeHost } from './agent/fake-host.ts';

/** What a server and its agents may take for anything, on a busy machine. */
export const wait = { deadlineMs: 60_000, everyMs: 25 };

interface Machine {
  fake: FakeHost;
  agent: RunningAgent;
  packages: PackageEvents;
}

export interface ServerAndAgents {
  /** Holds the agents' journals and keys. */
  directory: string;
  /** Of the server: its socket, its keys, its store. */
  data: string;
  machines: Map<string, Machine>;
  /** Begins a server, and resolves when it is up; rejects with what it said when it ended instead. */
  startServer: () => Promise<void>;
  /** Begins a server without waiting for it. */
  spawnServer: () => void;
  serverPid: () => number;
  /** `kill -9` of the server. */
  kill: () => Promise<void>;
  socket: string;
  status: () => Promise<StatusView>;
  act: (action: object) => Promise<unknown>;
  /** A host with these containers, its agent in this process. */
  enrol: (hostId: string, names: readonly string[]) => Promise<void>;
  /** Somebody upgrades a library on every host, to this version. */
  upgradeEverywhere: (version: number) => Promise<void>;
  /** Containers that were stopped, once for each time. */
  stops: () => string[];
  untilKnown: () => Promise<unknown>;
  dispose: () => Promise<void>;
}

/** A real server as a process of its own, and real agents over hosts that are simulated; nothing runs yet. */
export const createServerAndAgents = async (redis: RedisAddress): Promise<ServerAndAgents> => {
  const directory = await mkdtemp(join(tmpdir(), 'gs-server-'));
  const data = join(directory, 'data');
  const socket = join(data, 'api.sock');
  const machines = new Map<string, Machine>();
  const spawn = () =>
    execa(
      process.execPath,
      [
        ...['--import', 'tsx', join(import.meta.dirname, 'server.child.ts')],
        JSON.stringify({ dataDirectory: data, redis }),
      ],
      { reject: false },
    );
  let server: ReturnType<typeof spawn> | null = null;
  const kill = async (): Promise<void> => {
    server?.kill('SIGKILL');
    await server;
    server = null;
  };
  const status = async (): Promise<StatusView> =>
    (await callApi(socket, 'GET', '/v1/status')) as StatusView;
  const act = (action: object): Promise<unknown> =>
    callApi(socket, 'POST', '/v1/actions', { actor: 'ann', action });
  return {
    ...{ directory, data, machines, socket, kill, status, act },
    serverPid: () => {
      if (server?.pid === undefined) throw new Error('there is no server');
      return server.pid;
    },
    spawnServer: () => {
      server = spawn();
    },
    startServer: async () => {
      const started = spawn();
      server = started;
      const first = await Promise.race([
        new Promise<string>((resolve) => started.stdout.once('data', () => resolve('up'))),
        started.then(({ stderr }) => stderr),
      ]);
      if (first === 'up') return;
      server = null;
      throw new Error(first);
    },
    enrol: async (hostId, names) => {
      const keys = await loadOrMakeKeys(join(directory, `${hostId}.json`), null);
      const [publicKey = ''] = publicKeysOf(keys);
      await callApi(socket, 'POST', '/v1/keys', {
        ...{ actor: 'ann', hostId, change: { kind: 'enrol', machineId: hostId, publicKey } },
      });
      await act({ action: 'host-add', hostId, zone: null, cap: null });
      const serverKeys = await loadOrMakeKeys(join(data, 'server/keys.json'), null);
      const fake = createFakeHost(names);
      fake.drains = false;
      const watched: PackageEvents[] = [];
      const agent = await startAgent({
        ...{ hostId, version: '0', journalPath: join(directory, hostId, 'journal.sqlite'), redis },
        serverKeys: () => [verifyKeyOf(serverKeys.active)],
        signingKey: () => keys.active,
        host: fake.host,
        describeSettings: (salt) => ({ salt, settings: {} }),
        watchPackages: (events) => {
          watched.push(events);
          setImmediate(events.onQuiet);
          const done = (): Promise<void> => Promise.resolve();
          return Promise.resolve({ suspend: done, resume: done, stop: done });
        },
        clock: { monoMs: () => performance.now(), wallMs: Date.now, newId: randomUUID },
        logger: { info: () => undefined, warn: () => undefined },
        times: {
          ...agentTimes,
          tickMs: 50,
          report: { againMs: { first: 300, largest: 2_000 }, pollMs: 50, paceMs: 5 },
          observe: { ...agentTimes.observe, lookEveryMs: 100, heartbeatMs: 300 },
          gate: { ...agentTimes.gate, limitMs: 100, everyMs: 20 },
        },
      });
      const [packages] = watched;
      if (packages === undefined) throw new Error('nobody watches packages');
      machines.set(hostId, { fake, agent, packages });
    },
    upgradeEverywhere: async (version) => {
      const change = { name: 'libgs-demo1', arch: 'amd64', source: 'gs-demo' };
      for (const { fake, packages } of machines.values()) {
        packages.onOpen();
        fake.replaceLibrary();
        await packages.onTransaction({
          changes: [{ ...change, from: String(version - 1), to: String(version) }],
        });
      }
    },
    stops: () =>
      [...machines].flatMap(([id, { fake }]) =>
        fake.events.flatMap((event) =>
          event.startsWith('stop ') ? [`${id}/${event.slice(5)}`] : [],
        ),
      ),
    untilKnown: () =>
      waitUntil(
        'every host has told',
        async () => (await status()).hosts.every((host) => host.state === 'ok'),
        wait,
      ),
    dispose: async () => {
      await Promise.all([...machines.values()].map(({ agent }) => agent.stop()));
      await kill();
      await rm(directory, { recursive: true });
    },
  };
};
