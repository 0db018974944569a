import { join } from 'node:path';
import { callApi } from '../../src/api/client.ts';
import type { OperatorAction } from '../../src/core/coordinator/operator.ts';
import { createBed } from './bed.ts';
import type { Bed, BedOptions } from './bed.ts';
import type { BedContainer } from './containers.ts';
import { startHaproxy } from './haproxy.ts';
import type { Haproxy } from './haproxy.ts';
import type { HostProcess } from './host-process.ts';
import type { BedHost } from './host.ts';
import { servicesYaml } from './scene-services.ts';
import type { SceneService } from './scene-services.ts';
import { waitUntil } from './wait-until.ts';

export const groundswell = ['/usr/local/bin/node', '/opt/groundswell/bin/groundswell.js'];

export interface SceneOptions {
  directory: string;
  hostNumber: number;
  projectDirectory: string;
  /** Service → how many containers, and the arguments of its demo program. */
  services: Record<string, SceneService>;
  hostCap?: number;
  /** How HAProxy checks by itself; default: patiently, so that a busy machine makes no false outage. */
  haproxyChecks?: readonly string[];
  roots?: BedOptions['roots'];
  packages?: BedOptions['packages'];
  /** More YAML for the end of the configuration. */
  extraConfiguration?: string;
  /** Done with the host before it has containers. */
  prepare?: (bed: Bed, host: BedHost) => Promise<void>;
  /** Done before Groundswell is started; answers what is set in its environment. */
  beforeUp?: (bed: Bed, host: BedHost) => Promise<Readonly<Record<string, string>>>;
  report?: (line: string) => void;
}

/** One host with containers behind HAProxy, and Groundswell (`up`) at work in it. */
export interface Scene {
  bed: Bed;
  host: BedHost;
  haproxy: Haproxy;
  containers: Map<string, BedContainer[]>;
  /** The process `groundswell up`; start it again after it was killed. */
  up: () => HostProcess;
  startUp: () => Promise<void>;
  get: (path: string) => Promise<unknown>;
  act: (action: OperatorAction) => Promise<{ id: string | null; text: string }>;
  dispose: () => Promise<void>;
}

/** A slow answer on a busy machine is no stopped server; what we stop is in maintenance anyway. */
export const patientHaproxy = [
  'default-server check inter 500ms fastinter 100ms downinter 50ms fall 4 rise 1',
];

/**
 * For what HAProxy sees by itself: who is down without a word from us is found within 300 ms, which is
 * what services of the bed take to start.
 */
export const watchfulHaproxy = [
  'default-server check inter 200ms fastinter 50ms downinter 50ms fall 2 rise 1',
];

const configuration = (host: BedHost, options: SceneOptions, runtimePort: number): string =>
  [
    `agent:`,
    `  hostId: ${host.name}`,
    `  hostCap: ${options.hostCap ?? 4}`,
    servicesYaml(options.services, {
      haproxySocket: `${host.outerAddress}:${runtimePort}`,
      haproxyServer: '{name}',
    }),
    options.extraConfiguration ?? '',
  ].join('\n');

/** Build the scene and wait until Groundswell knows every container as healthy. */
export const createScene = async (options: SceneOptions): Promise<Scene> => {
  const bed = await createBed({
    directory: options.directory,
    hostNumbers: [options.hostNumber],
    projectDirectory: options.projectDirectory,
    ...(options.roots === undefined ? {} : { roots: options.roots }),
    ...(options.packages === undefined ? {} : { packages: options.packages }),
    ...(options.report === undefined ? {} : { report: options.report }),
  });
  const host = await bed.createHost({ number: options.hostNumber });
  await options.prepare?.(bed, host);
  const containers = new Map<string, BedContainer[]>();
  for (const [service, { count, arguments: args = [], command }] of Object.entries(
    options.services,
  )) {
    const run = command === undefined ? { arguments: args } : { command };
    containers.set(service, await bed.createContainers(host, { service, count, ...run }));
  }
  const haproxy = await startHaproxy(bed, {
    services: [...containers].map(([service, members]) => ({ service, containers: members })),
    runtimeAddresses: [host.outerAddress],
    extraDefaults: options.haproxyChecks ?? patientHaproxy,
  });
  await host.must([...groundswell, 'setup', '--yes', '--no-start']);
  await host.writeFile(
    '/etc/groundswell/config.yaml',
    configuration(host, options, haproxy.runtimePort),
    0o600,
  );
  const socketPath = join(host.rootDirectory, 'run/groundswell/api.sock');
  const get = (path: string): Promise<unknown> => callApi(socketPath, 'GET', path);
  const environment = (await options.beforeUp?.(bed, host)) ?? {};
  const words = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  let up: HostProcess | null = null;
  const startUp = async (): Promise<void> => {
    const started = await host.spawn(['env', ...words, ...groundswell, 'up']);
    up = started;
    const wanted = [...containers.values()].flat().length;
    let over: number | null = null;
    void started.exited.then((status) => (over = status));
    await waitUntil(
      `groundswell up knows ${wanted} containers as healthy`,
      async () => {
        if (over !== null)
          throw new Error(
            `groundswell up ended with status ${over}:\n${started.stderr()}${started.stdout()}`,
          );
        const list = (await get('/v1/containers').catch(() => [])) as { available: boolean }[];
        return list.filter(({ available }) => available).length >= wanted;
      },
      { deadlineMs: 60_000, everyMs: 20 },
    );
  };
  await startUp();
  return {
    bed,
    host,
    haproxy,
    containers,
    up: () => {
      if (up === null) throw new Error('groundswell up is not started');
      return up;
    },
    startUp,
    get,
    act: async (action) =>
      (await callApi(socketPath, 'POST', '/v1/actions', { actor: 'quickstart', action })) as {
        id: string | null;
        text: string;
      },
    dispose: async () => {
      await bed.dispose();
    },
  };
};
