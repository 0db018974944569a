import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { callApi } from '../../../src/api/client.ts';
import type { StatusView } from '../../../src/cli/views.ts';
import { isOver } from '../../../src/cli/wave-text.ts';
import type { RedisFaultKind } from '../../../src/core/redis-fault.ts';
import type { RedisAddress } from '../../../src/jobs/connections.ts';
import { importPublicKey } from '../../../src/jobs/signing-key.ts';
import { waitUntil } from '../../bed/wait-until.ts';
import type { FakeHost } from '../agent/fake-host.ts';
import { enrolMachine, stopsOf, upgradeMachine } from '../fleet/machines.ts';
import { startServer } from '../fleet/start-server.ts';

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
  const server = await startServer({ dataDirectory: directory, redis: serverRedis });
  const machine = await enrolMachine({
    ...{ hostId, containers, socket: socketPath, redis: agentRedis, directory },
    serverKeys: () => server.publicKeys.map(importPublicKey),
  });
  const { fake, agent, logged } = machine;
  const status = async (): Promise<StatusView> =>
    (await callApi(socketPath, 'GET', '/v1/status')) as StatusView;
  let upgrades = 0;
  const timesStopped = (name: string): number =>
    stopsOf(new Map([[hostId, machine]])).filter((one) => one === `${hostId}/${name}`).length;
  const soon = { deadlineMs: 60_000, everyMs: 50 };
  return {
    fake,
    status,
    logged,
    upgrade: async () => {
      upgrades += 1;
      await upgradeMachine(machine, upgrades + 1);
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
        if (timesStopped(name) !== upgrades || fake.container(name).instance === null)
          throw new Error(
            `${name} was stopped ${timesStopped(name)} times for ${upgrades} upgrades`,
          );
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
