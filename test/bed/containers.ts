import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hardwareAddress } from './host-config.ts';
import type { BedHost } from './host.ts';
import { fetchHealth } from './ask.ts';
import { readNow } from './shell-clock.ts';
import { waitUntil } from './wait-until.ts';

export interface ContainerOptions {
  /** Its `lxc.group`; containers are called `<service>-01` and so on. */
  service: string;
  count: number;
  /** The port that the demo service listens on; default 8080. */
  port?: number;
  /** Arguments of gs-demo-web after the port, see demo/gs-demo-web.c; default none. */
  arguments?: readonly string[];
  /** The whole command instead of tini with gs-demo-web. */
  command?: readonly string[];
  /** Have systemd as init in the container, and gs-demo-web as a unit of it; one set per host. */
  init?: 'systemd';
  /** More lines for the configuration. */
  extraConfig?: readonly string[];
  /** Have LXC write each start and stop down (default); costs a few milliseconds for each. */
  witness?: boolean;
}

export interface BedContainer {
  name: string;
  service: string;
  host: BedHost;
  address: string;
  port: number;
}

const FIRST_INDEX = 11;
const LAST_INDEX = 254;

const DEFAULT_PORT = 8080;

const demoCommand = (port: number, options: ContainerOptions): string[] => [
  '/usr/bin/gs-demo-web',
  String(port),
  ...(options.arguments ?? []),
];

/** For containers with systemd; it lies in the host's root, where its condition is false. */
const demoUnit = (host: BedHost, command: readonly string[]): string =>
  [
    '[Unit]',
    'Description=Demo service',
    `ConditionHost=!${host.name}`,
    '[Service]',
    `ExecStart=${command.join(' ')}`,
    '[Install]',
    'WantedBy=multi-user.target',
    '',
  ].join('\n');

const containerConfig = (
  container: BedContainer,
  index: number,
  options: ContainerOptions,
): string => {
  const { name, service, host, address, port } = container;
  const systemd = options.init === 'systemd';
  const command = options.command ?? [
    ...(systemd ? ['/sbin/init'] : ['/usr/bin/tini', '--', ...demoCommand(port, options)]),
  ];
  const witness = '/usr/local/lib/gsbed/witness';
  return [
    `lxc.uts.name = ${name}`,
    `lxc.rootfs.path = overlay:/var/lib/lxc/host/rootfs:/var/lib/lxc/${name}/delta0`,
    `lxc.group = ${service}`,
    `lxc.init.cmd = ${command.join(' ')}`,
    `lxc.signal.halt = ${systemd ? 'SIGRTMIN+3' : 'SIGTERM'}`,
    'lxc.tty.max = 0',
    'lxc.pty.max = 16',
    'lxc.autodev = 1',
    `lxc.mount.auto = proc:mixed sys:mixed${systemd ? ' cgroup:mixed' : ''}`,
    'lxc.apparmor.profile = unconfined',
    'lxc.start.auto = 1',
    'lxc.net.0.type = veth',
    'lxc.net.0.link = lxcbr0',
    'lxc.net.0.flags = up',
    'lxc.net.0.name = eth0',
    // Random hardware addresses leave stale neighbour entries: unreachable for up to 35 s.
    `lxc.net.0.hwaddr = ${hardwareAddress(host.number, index)}`,
    `lxc.net.0.ipv4.address = ${address}/24`,
    `lxc.net.0.ipv4.gateway = 10.78.${host.number}.1`,
    ...(options.witness === false
      ? []
      : [
          'lxc.hook.version = 1',
          `lxc.hook.pre-start = ${witness}`,
          `lxc.hook.post-stop = ${witness}`,
        ]),
    ...(options.extraConfig ?? []),
    '',
  ].join('\n');
};

/**
 * Writes the configuration of `count` containers of one service on the host. Addresses follow those
 * of `existing`, the containers that the host has already. A host holds at most 244.
 */
export const writeContainers = async (
  host: BedHost,
  existing: readonly BedContainer[],
  options: ContainerOptions,
): Promise<BedContainer[]> => {
  const firstIndex = FIRST_INDEX + existing.length;
  if (firstIndex + options.count - 1 > LAST_INDEX)
    throw new Error(
      `host ${host.name}: ${existing.length} + ${options.count} containers, a /24 has room for ${LAST_INDEX - FIRST_INDEX + 1}`,
    );
  if (options.init === 'systemd') {
    const unit = demoUnit(host, demoCommand(options.port ?? DEFAULT_PORT, options));
    await host.writeFile('/etc/systemd/system/gs-demo-web.service', unit);
    await host.must(['systemctl', 'enable', 'gs-demo-web.service']);
  }
  const firstOfService = existing.filter(({ service }) => service === options.service).length + 1;
  const made: BedContainer[] = [];
  for (let offset = 0; offset < options.count; offset++) {
    const index = firstIndex + offset;
    const container: BedContainer = {
      name: `${options.service}-${String(firstOfService + offset).padStart(2, '0')}`,
      service: options.service,
      host,
      address: `10.78.${host.number}.${index}`,
      port: options.port ?? DEFAULT_PORT,
    };
    const directory = join(host.rootDirectory, 'var/lib/lxc', container.name);
    await mkdir(join(directory, 'delta0'), { recursive: true });
    await writeFile(join(directory, 'config'), containerConfig(container, index, options));
    if (options.init === 'systemd') {
      // systemd takes its host name from there, else every container would be called as the host.
      await mkdir(join(directory, 'delta0/etc'));
      await writeFile(join(directory, 'delta0/etc/hostname'), `${container.name}\n`);
    }
    made.push(container);
  }
  return made;
};

/** The container of that name; throws when there is none. */
export const containerNamed = (containers: readonly BedContainer[], name: string): BedContainer => {
  const found = containers.find((container) => container.name === name);
  if (found === undefined)
    throw new Error(`no ${name} among ${containers.map((one) => one.name).join(' ')}`);
  return found;
};

/** Starts containers of one host, one after another, in one command. */
export const startContainers = async (containers: readonly BedContainer[]): Promise<void> => {
  const [first] = containers;
  if (first === undefined) return;
  const loop = 'for name; do lxc-start -n "$name" || exit; done';
  await first.host.must(['sh', '-c', loop, 'sh', ...containers.map(({ name }) => name)]);
};

/** Waits until every container answers its health path with 200; names those that do not. */
export const waitUntilHealthy = async (
  containers: readonly BedContainer[],
  deadlineMs = 30_000,
): Promise<void> => {
  await Promise.all(
    containers.map((container) =>
      waitUntil(
        `${container.name} (${container.address}:${container.port}) to be healthy`,
        () => fetchHealth(container),
        { deadlineMs },
      ),
    ),
  );
};

/** One start or stop that LXC itself performed. */
export interface WitnessedEvent {
  atMs: number;
  container: string;
  kind: 'start' | 'stop';
}

/** What LXC's own hooks wrote down on this host, in order: `pre-start` and `post-stop`. */
export const readWitness = async (host: BedHost): Promise<WitnessedEvent[]> => {
  const text = await host.readFile('/var/lib/gsbed/witness.log').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [at = '', container = '', hook = ''] = line.split(' ');
      return { atMs: readNow(at), container, kind: hook === 'pre-start' ? 'start' : 'stop' };
    });
};
