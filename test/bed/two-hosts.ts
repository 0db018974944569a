import { join } from 'node:path';
import { callApi } from '../../src/api/client.ts';
import type { StatusView } from '../../src/cli/views.ts';
import { createBed } from './bed.ts';
import type { Bed } from './bed.ts';
import type { BedContainer } from './containers.ts';
import { startHaproxy } from './haproxy.ts';
import type { Haproxy } from './haproxy.ts';
import type { HostProcess } from './host-process.ts';
import type { BedHost } from './host.ts';
import { startBedRedis } from './redis-server.ts';
import type { BedRedis } from './redis-server.ts';
import { servicesYaml } from './scene-services.ts';
import type { SceneService } from './scene-services.ts';
import { containersSeen } from './scene-waves.ts';
import { groundswell, patientHaproxy } from './scene.ts';
import { waitUntil } from './wait-until.ts';

export interface TwoHostsOptions {
  directory: string;
  /** The first one also runs the server. */
  hostNumbers: readonly [number, number];
  projectDirectory: string;
  /** Service → how many containers on each of the hosts. */
  services: Readonly<Record<string, SceneService>>;
}

/** A server and the agents of two hosts, as separate processes, with a Redis of their own between them. */
export interface TwoHosts {
  bed: Bed;
  first: BedHost;
  second: BedHost;
  hosts: readonly [BedHost, BedHost];
  haproxy: Haproxy;
  redis: BedRedis;
  /** Of both hosts. */
  members: (service?: string) => BedContainer[];
  server: () => HostProcess;
  agent: (host: BedHost) => HostProcess;
  startServer: () => Promise<void>;
  startAgent: (host: BedHost, environment?: Readonly<Record<string, string>>) => Promise<void>;
  /** What an operator types on a host; answers what was printed. */
  type: (host: BedHost, ...words: string[]) => Promise<string>;
  get: (path: string) => Promise<unknown>;
  status: () => Promise<StatusView>;
  dispose: () => Promise<void>;
}

/** Exit status of a process that SIGKILL has ended. */
const KILLED = 137;

/** How a container of either host is called, in HAProxy and with a slash in Groundswell. */
export const fullName = ({ host, name }: BedContainer, separator = '/'): string =>
  `${host.name}${separator}${name}`;

const configurationOf = (
  host: BedHost,
  { services, hostNumbers }: TwoHostsOptions,
  redis: BedRedis,
  haproxy: Haproxy,
): string =>
  [
    // The server may do everything in Redis; the agent of another machine its own work only.
    `redis: { url: "${redis.url(host.outerAddress, host.number === hostNumbers[0] ? 'default' : host.name)}" }`,
    `agent: { hostId: ${host.name}, hostCap: 4 }`,
    servicesYaml(services, {
      haproxySocket: `${host.outerAddress}:${haproxy.runtimePort}`,
      haproxyServer: `${host.name}-{name}`,
    }),
    '',
  ].join('\n');

/** Hosts with containers of every service behind one HAProxy, and a Redis; nothing of Groundswell runs yet. */
export const createTwoHosts = async (options: TwoHostsOptions): Promise<TwoHosts> => {
  const bed = await createBed(options);
  const [one, two] = options.hostNumbers;
  const hosts = await Promise.all([
    bed.createHost({ number: one }),
    bed.createHost({ number: two }),
  ]);
  const [first, second] = hosts;
  for (const host of hosts)
    for (const [service, { count, arguments: args = [] }] of Object.entries(options.services))
      await bed.createContainers(host, { service, count, arguments: args });
  const members = (service?: string): BedContainer[] =>
    hosts
      .flatMap((host) => bed.containersOf(host))
      .filter((container) => service === undefined || container.service === service);
  const outer = hosts.map(({ outerAddress }) => outerAddress);
  const redis = await startBedRedis(bed, outer);
  const haproxy = await startHaproxy(bed, {
    services: Object.keys(options.services).map((service) => ({
      service,
      containers: members(service),
    })),
    runtimeAddresses: outer,
    serverName: (container) => fullName(container, '-'),
    extraDefaults: patientHaproxy,
  });
  const type: TwoHosts['type'] = (host, ...words) =>
    host.must([...groundswell, ...words], { timeoutMs: 30_000 });
  for (const host of hosts) {
    await type(host, 'setup', '--yes', '--no-start');
    await host.writeFile(
      '/etc/groundswell/config.yaml',
      configurationOf(host, options, redis, haproxy),
      0o600,
    );
  }
  const socketPath = join(first.rootDirectory, 'run/groundswell/api.sock');
  const get: TwoHosts['get'] = async (path) => {
    if (serverEnd !== null) throw new Error(serverEnd);
    return callApi(socketPath, 'GET', path);
  };
  /** Why the server is not there, where nobody has killed it. */
  let serverEnd: string | null = null;
  const running = new Map<string, HostProcess>();
  const processOf = (name: string): HostProcess => {
    const found = running.get(name);
    if (found === undefined) throw new Error(`${name} is not started`);
    return found;
  };
  return {
    ...{ bed, first, second, haproxy, redis, members, type, get },
    hosts: [first, second],
    server: () => processOf('server'),
    agent: ({ name }) => processOf(name),
    startServer: async () => {
      const started = await first.spawn([...groundswell, 'server']);
      running.set('server', started);
      serverEnd = null;
      void started.exited.then((status) => {
        if (running.get('server') === started && status !== KILLED)
          serverEnd = `the server ended with status ${status}:\n${started.stderr().slice(-4000)}`;
      });
      await waitUntil(
        'the server answers',
        () =>
          get('/v1/hosts').then(
            () => true,
            (error: unknown) => {
              if (serverEnd !== null) throw error;
              return false;
            },
          ),
        { deadlineMs: 30_000, everyMs: 20 },
      );
    },
    startAgent: async (host, environment = {}) => {
      const words = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
      running.set(host.name, await host.spawn(['env', ...words, ...groundswell, 'agent']));
    },
    status: async () => (await get('/v1/status')) as StatusView,
    dispose: () => bed.dispose(),
  };
};

/** Believe each other, as docs/how-to/several-hosts.md tells it, and wait until every container is known as healthy. */
export const enrolBoth = async (scene: TwoHosts): Promise<void> => {
  const { first, type } = scene;
  await scene.startServer();
  const serverKeys = (await type(first, 'server', '--show-key')).trim().split('\n');
  for (const [index, host] of scene.hosts.entries()) {
    await type(host, 'agent', '--trust', ...serverKeys);
    const card = `/root/${host.name}.json`;
    await first.writeFile(card, await type(host, 'agent', '--show-key'), 0o600);
    // The agent beside the server comes to Redis with the server's user.
    const verb = host === first ? 'add' : 'enrol';
    await type(first, 'host', verb, host.name, '--key', card, '--zone', `rack-${index + 1}`);
    await scene.startAgent(host);
  }
  const wanted = scene.members().length;
  await waitUntil(
    `the server knows ${wanted} containers as healthy`,
    async () => (await containersSeen(scene)).filter(({ available }) => available).length >= wanted,
    { deadlineMs: 60_000, everyMs: 20 },
  );
};
