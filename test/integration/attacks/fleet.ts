import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { callApi } from '../../../src/api/client.ts';
import type { StatusView } from '../../../src/cli/views.ts';
import type { AuditRow } from '../../../src/core/coordinator/api-rows.ts';
import type { RedisAddress } from '../../../src/jobs/connections.ts';
import { redisUserRules } from '../../../src/jobs/redis-user.ts';
import { importPublicKey } from '../../../src/jobs/signing-key.ts';
import { waitUntil } from '../../bed/wait-until.ts';
import { act, enrolMachine, stopsOf, upgradeMachine, wait } from '../fleet/machines.ts';
import type { Machine } from '../fleet/machines.ts';
import { startServer } from '../fleet/start-server.ts';
import { startTestRedis } from '../redis.ts';
import type { TestRedis } from '../redis.ts';

/** A real server and real agents over scripted containers, each agent with a Redis user of its own. */
export interface AttackedFleet {
  redis: TestRedis;
  machines: Map<string, Machine>;
  machine: (hostId: string) => Machine;
  serverKeyId: string;
  status: () => Promise<StatusView>;
  audit: () => Promise<AuditRow[]>;
  act: (action: object) => Promise<unknown>;
  /** Somebody upgrades a library on every host: each container is to be restarted once. */
  upgrade: () => Promise<void>;
  /** `h1/web-1`, in the order of the stops. */
  stops: () => string[];
  /** The most containers that were down at once. */
  mostDown: () => number;
  /** Every container was stopped just so often, runs, and no grant is open. */
  restarted: (times: number) => Promise<unknown>;
  stop: () => Promise<void>;
}

/** `hosts`: names of containers by host. All are of one service, of which so many may be down. */
export const startFleet = async (
  hosts: Record<string, string[]>,
  maxUnavailable = 1,
): Promise<AttackedFleet> => {
  const directory = await mkdtemp(join(tmpdir(), 'gs-attack-'));
  const redis = await startTestRedis({ own: true });
  const admin = redis.client();
  const socket = join(directory, 'api.sock');
  const server = await startServer({
    ...{ dataDirectory: directory, redis: redis.address, maxUnavailable },
  });
  const [serverKey = ''] = server.publicKeys;
  const machines = new Map<string, Machine>();
  let [mostDown, version] = [0, 1];
  const down = (): number =>
    [...machines].reduce(
      (sum, [id, { fake }]) =>
        sum + (hosts[id] ?? []).filter((name) => fake.container(name).instance === null).length,
      0,
    );

  const status = async (): Promise<StatusView> =>
    (await callApi(socket, 'GET', '/v1/status')) as StatusView;

  const enrol = async (hostId: string, containers: readonly string[]): Promise<void> => {
    await admin.call('ACL', 'SETUSER', hostId, ...redisUserRules(hostId), '>secret');
    if (redis.address.kind !== 'socket') throw new Error('want an own Redis');
    const address: RedisAddress = { ...redis.address, username: hostId, password: 'secret' };
    const machine = await enrolMachine({
      ...{ hostId, containers, socket, redis: address, directory },
      serverKeys: () => [importPublicKey(serverKey)],
    });
    const { runtime } = machine.fake.host;
    const stop = runtime.stop.bind(runtime);
    runtime.stop = async (name, options) => {
      const stopped = await stop(name, options);
      mostDown = Math.max(mostDown, down());
      return stopped;
    };
    machines.set(hostId, machine);
  };
  const fleet: AttackedFleet = {
    redis,
    machines,
    machine: (hostId) => {
      const found = machines.get(hostId);
      if (found === undefined) throw new Error(`no host ${hostId}`);
      return found;
    },
    serverKeyId: importPublicKey(serverKey).id,
    status,
    audit: async () => (await callApi(socket, 'GET', '/v1/audit?limit=1000')) as AuditRow[],
    act: (action) => act(socket, action),
    upgrade: async () => {
      version += 1;
      for (const machine of machines.values()) await upgradeMachine(machine, version);
    },
    stops: () => stopsOf(machines),
    mostDown: () => mostDown,
    restarted: (times) =>
      waitUntil(
        `each was restarted ${times} times`,
        async () => {
          const counts = new Map<string, number>();
          for (const id of stopsOf(machines)) counts.set(id, (counts.get(id) ?? 0) + 1);
          const all = Object.entries(hosts).flatMap(([id, names]) =>
            names.map((name) => `${id}/${name}`),
          );
          return (
            all.every((id) => counts.get(id) === times) && (await status()).grants.length === 0
          );
        },
        { ...wait, deadlineMs: 150_000 },
      ),
    stop: async () => {
      await Promise.all([...machines.values()].map(({ agent }) => agent.stop()));
      await server.stop();
      await redis.stop();
      await rm(directory, { recursive: true });
    },
  };
  for (const [hostId, names] of Object.entries(hosts)) await enrol(hostId, names);
  await waitUntil(
    'every host has told',
    async () => (await status()).hosts.every(({ state }) => state === 'ok'),
    wait,
  );
  return fleet;
};
