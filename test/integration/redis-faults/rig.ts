import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { callApi } from '../../../src/api/client.ts';
import type { StatusView } from '../../../src/cli/views.ts';
import { defaultFleetSettings } from '../../../src/core/coordinator/fleet.ts';
import { isOver } from '../../../src/cli/wave-text.ts';
import type { RedisFaultKind } from '../../../src/core/redis-fault.ts';
import type { RedisAddress } from '../../../src/jobs/connections.ts';
import { loadOrMakeKeys } from '../../../src/jobs/key-files.ts';
import { importPublicKey } from '../../../src/jobs/signing-key.ts';
import { publicKeysOf } from '../../../src/main/key-card.ts';
import { runServer } from '../../../src/main/run-server.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';
import { agentTimes } from '../../../src/workers/agent/agent-options.ts';
import type { PackageEvents } from '../../../src/workers/agent/follow-packages.ts';
import { startAgent } from '../../../src/workers/agent/start-agent.ts';
import { waitUntil } from '../../bed/wait-until.ts';
import { createFakeHost } from '../agent/fake-host.ts';
import type { FakeHost } from '../agent/fake-host.ts';
import { noFeeds } from '../no-feeds.ts';

const hostId = 'h1';
const containers = ['web-1', 'web-2', 'web-3'];

/** A real server and the real agent of a host of scripted containers, each on its own way to Redis. */
export interface Rig {
  fake: FakeHost;
  status: () => Promise<StatusView>;
  /** A library is replaced below everything that runs: the server opens a wave. */
  upgrade: () => Promise<void>;
  /** The last wave is over, and each container was stopped and started once for each upgrade so far. */
  untilDone: () => Promise<void>;
  /** Until `status` names the fault in words, and by its kind where it is one of the server's own Redis. */
  untilTold: (kind: RedisFaultKind | null, words: RegExp) => Promise<void>;
  /** Until no fault of Redis is told. */
  untilWell: () => Promise<void>;
  /** What the agent has logged. */
  logged: string[];
  stop: () => Promise<void>;
}

export const startRig = async (
  serverRedis: RedisAddress,
  agentRedis: RedisAddress = serverRedis,
): Promise<Rig> => {
  const directory = await mkdtemp(join(tmpdir(), 'gs-fault-'));
  const socketPath = join(directory, 'api.sock');
  const server = await runServer({
    ...{ version: '0', dataDirectory: directory, socketPath, redis: serverRedis },
    settings: { ...defaultFleetSettings, canaries: 0 },
    services: [
      {
        ...{ name: 'web', match: [{ container: 'web-*' }], budget: { maxUnavailable: 1 } },
        ...{ mode: 'auto', restartBroken: false },
      },
    ],
    describeSettings: (salt) => ({ salt, settings: {} }),
    ...{ exploitedFeeds: new Set<string>(), feeds: noFeeds, minuteOfDay: () => 0, notify: {} },
    auditing: { anchors: {}, sealAfterDays: null },
    ...{ logger: createLogger('silent', 'test'), signal: new AbortController().signal },
  });
  const post = (path: string, body: object): Promise<unknown> =>
    callApi(socketPath, 'POST', path, { actor: 'ann', ...body });
  const keys = await loadOrMakeKeys(join(directory, 'h1.json'), null);
  const [publicKey = ''] = publicKeysOf(keys);
  await post('/v1/keys', { hostId, change: { kind: 'enrol', machineId: 'm1', publicKey } });
  await post('/v1/actions', { action: { action: 'host-add', hostId, zone: null, cap: null } });
  const fake = createFakeHost(containers);
  fake.drains = false;
  const logged: string[] = [];
  let packages: PackageEvents | null = null;
  const agent = await startAgent({
    ...{ hostId, version: '0', journalPath: join(directory, 'agent', 'journal.sqlite') },
    redis: agentRedis,
    serverKeys: () => server.publicKeys.map(importPublicKey),
    signingKey: () => keys.active,
    host: fake.host,
    describeSettings: (salt) => ({ salt, settings: {} }),
    watchPackages: (events) => {
      packages = events;
      setImmediate(events.onQuiet);
      const done = (): Promise<void> => Promise.resolve();
      return Promise.resolve({ suspend: done, resume: done, stop: done });
    },
    clock: { monoMs: () => performance.now(), wallMs: Date.now, newId: randomUUID },
    logger: {
      info: () => undefined,
      warn: (...said: unknown[]) => void logged.push(String(said.at(-1))),
    },
    times: {
      ...agentTimes,
      tickMs: 50,
      report: { againMs: { first: 300, largest: 2_000 }, pollMs: 50, paceMs: 5 },
      observe: { ...agentTimes.observe, lookEveryMs: 100, heartbeatMs: 300 },
      gate: { ...agentTimes.gate, limitMs: 100, everyMs: 20 },
    },
  });
  const status = async (): Promise<StatusView> =>
    (await callApi(socketPath, 'GET', '/v1/status')) as StatusView;
  let upgrades = 0;
  const stopsOf = (name: string): number =>
    fake.events.filter((event) => event === `stop ${name}`).length;
  const soon = { deadlineMs: 60_000, everyMs: 50 };
  return {
    fake,
    status,
    logged,
    upgrade: async () => {
      upgrades += 1;
      packages?.onOpen();
      fake.replaceLibrary();
      const change = { name: 'libgs-demo1', arch: 'amd64', source: 'gs-demo' };
      await packages?.onTransaction({
        changes: [{ ...change, from: String(upgrades), to: String(upgrades + 1) }],
      });
    },
    untilDone: async () => {
      await waitUntil(
        'the wave is over',
        async () => {
          const { waves, grants } = await status();
          return waves.length === upgrades && grants.length === 0 && waves.every(isOver);
        },
        soon,
      );
      const { waves } = await status();
      for (const { counts, total } of waves)
        if (counts['verified'] !== total)
          throw new Error(`not verified: ${JSON.stringify(counts)}`);
      for (const name of containers)
        if (stopsOf(name) !== upgrades || fake.container(name).instance === null)
          throw new Error(`${name} was stopped ${stopsOf(name)} times for ${upgrades} upgrades`);
    },
    untilTold: async (kind, words) => {
      await waitUntil(
        `status tells ${kind ?? ''} ${String(words)}`,
        async () => {
          const { redisFaults, alerts } = await status();
          const isNamed = kind === null || redisFaults.includes(kind);
          return isNamed && alerts.some(({ text }) => words.test(text));
        },
        soon,
      );
    },
    untilWell: async () => {
      await waitUntil(
        'status tells no fault',
        async () => {
          const { redis, redisFaults, alerts } = await status();
          const isQuiet = alerts.every(({ text }) => !text.includes('Redis'));
          return redis === 'answers' && redisFaults.length === 0 && isQuiet;
        },
        soon,
      );
    },
    stop: async () => {
      await Promise.all([agent.stop(), server.stop()]);
      await rm(directory, { recursive: true });
    },
  };
};

/** A fault as a test brings it about and takes it away. */
export interface Fault {
  kind: RedisFaultKind | null;
  /** Of its alert. */
  words: RegExp;
  begin: () => Promise<unknown>;
  end: () => Promise<unknown>;
  /** How long it stands after it was told. */
  holdMs?: number;
}

/** What a fault cost; times in ms from its end on. */
export interface Borne {
  /** Processor time of server and agent while it stood, as part of one core. */
  load: number;
  wellMs: number;
  doneMs: number;
}

/**
 * A wave through a fault: it begins in the middle of the first stop, is told, ends, is told no more, and the wave goes on by
 * itself to its end, each container stopped once.
 */
export const throughFault = async (rig: Rig, fault: Fault): Promise<Borne> => {
  const begun = new Promise<void>((resolve, reject) => {
    rig.fake.duringStop = () => {
      rig.fake.duringStop = () => Promise.resolve();
      return fault.begin().then(() => {
        resolve();
      }, reject);
    };
  });
  await rig.upgrade();
  await begun;
  await rig.untilTold(fault.kind, fault.words);
  const [cpu, from] = [process.cpuUsage(), performance.now()];
  await sleep(fault.holdMs ?? 2_000);
  const { user, system } = process.cpuUsage(cpu);
  const load = (user + system) / 1_000 / (performance.now() - from);
  await fault.end();
  const ended = performance.now();
  await rig.untilWell();
  const wellMs = performance.now() - ended;
  await rig.untilDone();
  const doneMs = performance.now() - ended;
  if (process.env['GROUNDSWELL_FIGURES'] !== undefined)
    process.stderr.write(
      `${fault.kind ?? String(fault.words)}: ${JSON.stringify({ load, wellMs, doneMs })}\n`,
    );
  return { load, wellMs, doneMs };
};
