import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Endpoint } from './ask.ts';
import type { Bed } from './bed.ts';
import type { BedContainer } from './containers.ts';
import { askRuntime, parseServerStatistics, statisticsCommand } from './haproxy-runtime.ts';
import type { ServerStatistics } from './haproxy-runtime.ts';
import { isAlive, signalProcess } from './processes.ts';
import { waitUntil } from './wait-until.ts';

export interface HaproxyService {
  /** Name of the backend. */
  service: string;
  containers: readonly BedContainer[];
}

export interface HaproxyOptions {
  services: readonly HaproxyService[];
  /** Addresses outside on which agents reach the runtime API, see `BedHost.outerAddress`. */
  runtimeAddresses?: readonly string[];
  /** A server's name within its backend; default: the container's. */
  serverName?: (container: BedContainer) => string;
  /** Lines for the `defaults` section, after the bed's own. */
  extraDefaults?: readonly string[];
}

export interface Haproxy {
  /** The runtime API as a Unix socket outside. */
  socketPath: string;
  /** Port of the runtime API on each of the runtime addresses. */
  runtimePort: number;
  /** Where clients reach a service. */
  frontend: (service: string) => Endpoint;
  /** Sends one command to the runtime API and answers what it says. */
  runtime: (command: string) => Promise<string>;
  statistics: () => Promise<ServerStatistics[]>;
  stop: () => Promise<void>;
}

const RUNTIME_PORT = 19999;
const FIRST_PORT = 8001;

/**
 * Set so that a stopped server is noticed within 50 ms and a request is never tried twice: with
 * HAProxy's usual retries and redispatch even restarts without a drain cost no request, and a test
 * with them proves nothing. Only an answer may take longer than that: a busy machine is slow to give
 * one, but not to accept a connection.
 */
const configuration = (
  options: HaproxyOptions,
  files: { socketPath: string; pidPath: string },
  address: string,
): string => {
  const serverName = options.serverName ?? ((container: BedContainer) => container.name);
  const lines = [
    'global',
    `  stats socket ${files.socketPath} mode 600 level admin`,
    ...(options.runtimeAddresses ?? []).map(
      (runtime) => `  stats socket ipv4@${runtime}:${RUNTIME_PORT} level admin`,
    ),
    `  pidfile ${files.pidPath}`,
    '  stats timeout 1m',
    'defaults',
    '  mode http',
    '  timeout connect 1s',
    '  timeout client 60s',
    '  timeout server 60s',
    '  timeout http-keep-alive 60s',
    '  retries 0',
    '  option httpchk GET /health',
    '  http-check expect status 200',
    '  timeout check 2s',
    '  default-server check inter 50ms fastinter 20ms downinter 20ms fall 1 rise 1',
    ...(options.extraDefaults ?? []).map((line) => `  ${line}`),
  ];
  options.services.forEach(({ service, containers }, index) => {
    lines.push(
      `frontend ${service}-in`,
      `  bind ${address}:${FIRST_PORT + index}`,
      `  default_backend ${service}`,
      `backend ${service}`,
      '  balance roundrobin',
      ...containers.map(
        (container) => `  server ${serverName(container)} ${container.address}:${container.port}`,
      ),
    );
  });
  return `${lines.join('\n')}\n`;
};

/**
 * Starts HAProxy outside, in front of the containers of several services, and waits until every
 * server is up. Each bed listens on a loopback address of its own.
 */
export const startHaproxy = async (bed: Bed, options: HaproxyOptions): Promise<Haproxy> => {
  const directory = join(bed.directory, 'haproxy');
  const files = { socketPath: join(directory, 'socket'), pidPath: join(directory, 'pid') };
  const configPath = join(directory, 'haproxy.cfg');
  const address = `127.0.77.${bed.hostNumbers[0] ?? 1}`;
  await mkdir(directory, { recursive: true });
  await writeFile(configPath, configuration(options, files, address));
  await bed.commands.must(['haproxy', '-D', '-f', configPath]);
  const pid = Number(await readFile(files.pidPath, 'utf8'));

  const runtime = (command: string): Promise<string> => askRuntime(files.socketPath, command);
  const statistics = async (): Promise<ServerStatistics[]> =>
    parseServerStatistics(await runtime(statisticsCommand));
  await waitUntil(
    'every server of HAProxy to be up',
    async () => (await statistics()).every(({ status }) => status === 'UP'),
    { deadlineMs: 10_000 },
  );
  return {
    socketPath: files.socketPath,
    runtimePort: RUNTIME_PORT,
    frontend: (service) => {
      const index = options.services.findIndex((one) => one.service === service);
      if (index < 0) throw new Error(`HAProxy has no service ${service}`);
      return { address, port: FIRST_PORT + index };
    },
    runtime,
    statistics,
    stop: async () => {
      signalProcess(pid, 'SIGKILL');
      await waitUntil('HAProxy to end', async () => !(await isAlive(pid)), { deadlineMs: 5000 });
    },
  };
};
