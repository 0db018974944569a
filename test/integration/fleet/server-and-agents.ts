import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { callApi } from '../../../src/api/client.ts';
import type { StatusView } from '../../../src/cli/views.ts';
import type { RedisAddress } from '../../../src/jobs/connections.ts';
import { loadOrMakeKeys } from '../../../src/jobs/key-files.ts';
import { verifyKeyOf } from '../../../src/jobs/signing-key.ts';
import { waitUntil } from '../../bed/wait-until.ts';
import { startTestRedis } from '../redis.ts';
import type { TestRedis } from '../redis.ts';
import { act, enrolMachine, stopsOf, upgradeMachine, wait } from './machines.ts';
import type { Machine } from './machines.ts';

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

/** A real server as a process of its own, and real agents over scripted hosts; nothing runs yet. */
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
  return {
    ...{ directory, data, machines, socket, kill, status },
    act: (action) => act(socket, action),
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
    enrol: async (hostId, containers) => {
      const { active } = await loadOrMakeKeys(join(data, 'server/keys.json'), null);
      const serverKeys = () => [verifyKeyOf(active)];
      machines.set(
        hostId,
        await enrolMachine({ hostId, containers, socket, serverKeys, redis, directory }),
      );
    },
    upgradeEverywhere: async (version) => {
      for (const machine of machines.values()) await upgradeMachine(machine, version);
    },
    stops: () => stopsOf(machines),
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

/** The same with a Redis of their own, and a server that runs. */
export const startServerAndAgents = async (): Promise<ServerAndAgents & { redis: TestRedis }> => {
  const redis = await startTestRedis({ own: true });
  const rig = await createServerAndAgents(redis.address);
  await rig.startServer();
  return {
    ...{ ...rig, redis },
    dispose: async () => {
      await rig.dispose();
      await redis.stop();
    },
  };
};
