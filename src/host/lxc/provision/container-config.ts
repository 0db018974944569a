import type { ContainerName } from '../../../core/ids.ts';
import { parseConfig } from '../parse-config.ts';
import type { ConfigEntry } from '../parse-config.ts';
import { formatIpv4, hardwareAddress } from './ipv4-network.ts';
import type { Ipv4Network } from './ipv4-network.ts';

/** What the configuration of a new container says. */
export interface NewContainer {
  name: ContainerName;
  lower: string;
  upper: string;
  /** Its service, as `lxc.group`. */
  service: string | null;
  /** Command of its init, in the words of `lxc.init.cmd`. */
  init: string;
  /** Signal that asks its init to end, such as SIGTERM; null leaves it to LXC. */
  haltSignal: string | null;
  autostart: boolean;
  /** Configuration to include, such as the distribution's common.conf. */
  includes: readonly string[];
  /** How the distribution confines containers. */
  confinement: readonly ConfigEntry[];
  bridge: string;
  network: Ipv4Network;
  gateway: number;
  address: number;
}

const networkLines = (address: number, network: Ipv4Network): { key: string; value: string }[] => [
  { key: 'hwaddr', value: hardwareAddress(address) },
  { key: 'ipv4.address', value: `${formatIpv4(address)}/${network.prefixLength}` },
];

/**
 * What the distribution's defaults for new containers say of AppArmor. The profile that LXC takes
 * without them is too narrow for systemd: half of its units fail.
 */
export const confinementOf = (defaults: string): ConfigEntry[] =>
  parseConfig(defaults).filter(({ key }) => key.startsWith('lxc.apparmor.'));

/** The configuration of a new container, lxc.container.conf(5), in the keys of LXC 3 and later. */
export const containerConfig = (wanted: NewContainer): string =>
  [
    ...wanted.includes.map((path) => `lxc.include = ${path}`),
    ...wanted.confinement.map(({ key, value }) => `${key} = ${value}`),
    `lxc.uts.name = ${wanted.name}`,
    `lxc.rootfs.path = overlay:${wanted.lower}:${wanted.upper}`,
    ...(wanted.service === null ? [] : [`lxc.group = ${wanted.service}`]),
    `lxc.init.cmd = ${wanted.init}`,
    ...(wanted.haltSignal === null ? [] : [`lxc.signal.halt = ${wanted.haltSignal}`]),
    'lxc.autodev = 1',
    'lxc.mount.auto = proc:mixed sys:mixed',
    `lxc.start.auto = ${wanted.autostart ? 1 : 0}`,
    'lxc.net.0.type = veth',
    `lxc.net.0.link = ${wanted.bridge}`,
    'lxc.net.0.flags = up',
    'lxc.net.0.name = eth0',
    '# Follows from the address: with a random one the container is unreachable after some starts.',
    ...networkLines(wanted.address, wanted.network).map(
      ({ key, value }) => `lxc.net.0.${key} = ${value}`,
    ),
    `lxc.net.0.ipv4.gateway = ${formatIpv4(wanted.gateway)}`,
    '',
  ].join('\n');

/** What a clone has of its own. */
export interface CloneIdentity {
  name: ContainerName;
  lower: string;
  upper: string;
  network: Ipv4Network;
  address: number;
}

const KEY = /^\s*(lxc\.[\w.]+)\s*=/;

/** The network device in a configuration that has an IPv4 address, such as `lxc.net.0`. */
export const addressedDevice = (config: string): string | null =>
  /^\s*(lxc\.net\.\d+)\.ipv4\.address\s*=\s*\S/m.exec(config)?.[1] ?? null;

/** The bridge that a network device is linked to. */
export const deviceLink = (config: string, device: string): string | null => {
  const line = new RegExp(`^\\s*${device.replaceAll('.', '\\.')}\\.link\\s*=\\s*(\\S+)`, 'm');
  return line.exec(config)?.[1] ?? null;
};

/**
 * The configuration of a clone: the source's text, with name, root and address of its own. Hardware
 * addresses of further network devices are left out, so that LXC draws new ones.
 */
export const cloneConfig = (config: string, clone: CloneIdentity): string => {
  const device = addressedDevice(config);
  const replaced = new Map([
    ['lxc.uts.name', clone.name],
    ['lxc.rootfs.path', `overlay:${clone.lower}:${clone.upper}`],
    ...(device === null
      ? []
      : networkLines(clone.address, clone.network).map(
          ({ key, value }) => [`${device}.${key}`, value] as const,
        )),
  ]);
  const left = new Map(replaced);
  const lines = config
    .trimEnd()
    .split('\n')
    .flatMap((line) => {
      const key = KEY.exec(line)?.[1] ?? '';
      const value = replaced.get(key);
      if (value === undefined) return /^lxc\.net\.\d+\.hwaddr$/.test(key) ? [] : [line];
      // Once only: a second line with the key would say something else again.
      return left.delete(key) ? [`${key} = ${value}`] : [];
    });
  return [...lines, ...[...left].map(([key, value]) => `${key} = ${value}`), ''].join('\n');
};
