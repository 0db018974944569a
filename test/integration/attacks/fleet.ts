import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { callApi } from '../../../src/api/client.ts';
import type { StatusView } from '../../../src/cli/views.ts';
import type { AuditRow } from '../../../src/core/coordinator/api-rows.ts';
import { defaultFleetSettings } from '../../../src/core/coordinator/fleet.ts';
import type { RedisAddress } from '../../../src/jobs/connections.ts';
import { loadOrMakeKeys } from '../../../src/jobs/key-files.ts';
import { redisUserRules } from '../../../src/jobs/redis-user.ts';
import { importPublicKey } from '../../../src/jobs/signing-key.ts';
import type { SigningKey } from '../../../src/jobs/signing-key.ts';
import { publicKeysOf } from '../../../src/main/key-card.ts';
import { runServer } from '../../../src/main/run-server.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';
import { agentTimes } from '../../../src/workers/agent/agent-options.ts';
import type { RunningAgent } from '../../../src/workers/agent/agent-options.ts';
import type { PackageEvents } from '../../../src/workers/agent/follow-packages.ts';
import { startAgent } from '../../../src/workers/agent/start-agent.ts';
import { waitUntil } from '../../bed/wait-until.ts';
import { createFakeHost } from '../agent/fake-host.ts';
import type { FakeHost } from '../agent/fake-host.ts';
import { noFeeds } from '../no-feeds.ts';
import { startTestRedis } from '../redis.ts';
import type { TestRedis } from '../redis.ts';

export const wait = { deadlineMs: 60_000, everyMs: 25 };

interface Machine {
  fake: FakeHost;
  agent: RunningAgent;
  packages: PackageEvents;
  /** What it signs with: somebody who broke into it has that. */
  key: SigningKey;
}

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
  const server = await runServer({
    ...{ version: '0', dataDirectory: directory, socketPath: socket, redis: redis.address },
    settings: { ...defaultFleetSettings, canaries: 0 },
    services: [
      {
        ...{ name: 'web', match: [{ container: '*' }], budget: { maxUnavailable } },
        ...{ mode: 'auto', restartBroken: false },
      },
    ],
    describeSettings: (salt) => ({ salt, settings: {} }),
    ...{ exploitedFeeds: new Set<string>(), feeds: noFeeds, minuteOfDay: () => 0, notify: {} },
    auditing: { anchors: {}, sealAfterDays: null },
    ...{ logger: createLogger('silent', 'test'), signal: new AbortController().signal },
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

  const act = (action: object): Promise<unknown> =>
    callApi(socket, 'POST', '/v1/actions', { actor: 'ann', action });
  const status = async (): Promise<StatusView> =>
    (await callApi(socket, 'GET', '/v1/status')) as StatusView;

  const enrol = async (hostId: string, names: readonly string[]): Promise<void> => {
    const { active: key } = await loadOrMakeKeys(join(directory, `${hostId}.json`), null);
    const [publicKey = ''] = publicKeysOf({ active: key, other: null });
    await callApi(socket, 'POST', '/v1/keys', {
      ...{ actor: 'ann', hostId, change: { kind: 'enrol', machineId: hostId, publicKey } },
    });
    await act({ action: 'host-add', hostId, zone: null, cap: null });
    await admin.call('ACL', 'SETUSER', hostId, ...redisUserRules(hostId), '>secret');
    if (redis.address.kind !== 'socket') throw new Error('want an own Redis');
    const address: RedisAddress = { ...redis.address, username: hostId, password: 'secret' };
    const fake = createFakeHost(names);
    fake.drains = false;
    const stop = fake.host.runtime.stop.bind(fake.host.runtime);
    fake.host.runtime.stop = async (name, options) => {
      const stopped = await stop(name, options);
      mostDown = Math.max(mostDown, down());
      return stopped;
    };
    const watched: PackageEvents[] = [];
    const agent = await startAgent({
      ...{ hostId, version: '0', journalPath: join(directory, hostId, 'journal.sqlite') },
      redis: address,
      serverKeys: () => [importPublicKey(serverKey)],
      signingKey: () => key,
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
        ...{ tickMs: 50, junkEveryMs: 500 },
        report: { againMs: { first: 300, largest: 2_000 }, pollMs: 50, paceMs: 5 },
        observe: { ...agentTimes.observe, lookEveryMs: 100, heartbeatMs: 300 },
        gate: { ...agentTimes.gate, limitMs: 100, everyMs: 20 },
      },
    });
    const [packages] = watched;
    if (packages === undefined) throw new Error('nobody watches packages');
    machines.set(hostId, { fake, agent, packages, key });
  };

  const stops = (): string[] =>
    [...machines].flatMap(([id, { fake }]) =>
      fake.events.flatMap((event) =>
        event.startsWith('stop ') ? [`${id}/${event.slice(5)}`] : [],
      ),
    );
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
    act,
    upgrade: async () => {
      version += 1;
      const change = { name: 'libgs-demo1', arch: 'amd64', source: 'gs-demo' };
      for (const { fake, packages } of machines.values()) {
        packages.onOpen();
        fake.replaceLibrary();
        await packages.onTransaction({
          changes: [{ ...change, from: String(version - 1), to: String(version) }],
        });
      }
    },
    stops,
    mostDown: () => mostDown,
    restarted: (times) =>
      waitUntil(
        `each was restarted ${times} times`,
        async () => {
          const counts = new Map<string, number>();
          for (const id of stops()) counts.set(id, (counts.get(id) ?? 0) + 1);
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
