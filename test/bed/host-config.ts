import { join } from 'node:path';

/** Something of the outer machine that a host sees too. */
export interface ExtraMount {
  source: string;
  /** Absolute path in the host. */
  target: string;
  kind: 'directory' | 'file';
  readOnly: boolean;
}

export interface HostNames {
  number: number;
  /** Its name for LXC outside, and of the network link outside. */
  lxcName: string;
  /** The host's own name. */
  name: string;
  lxcPath: string;
  rootDirectory: string;
}

/** Address plan: the link to the outer machine is 10.77.N.0/24, containers are in 10.78.N.0/24. */
export const outerAddress = (number: number): string => `10.77.${number}.1`;
export const hostAddress = (number: number): string => `10.77.${number}.2`;
export const containerNet = (number: number): string => `10.78.${number}.0/24`;
export const linkNet = (number: number): string => `10.77.${number}.0/24`;

const hexByte = (value: number): string => value.toString(16).padStart(2, '0');

/** Fixed hardware address of container `index` on host `number`, or of its bridge (index 1). */
export const hardwareAddress = (number: number, index: number): string =>
  `02:00:0a:4e:${hexByte(number)}:${hexByte(index)}`;

const mountLine = ({ source, target, kind, readOnly }: ExtraMount): string => {
  const create = kind === 'file' ? 'create=file' : 'create=dir';
  const escape = (path: string): string => path.replaceAll(' ', '\\040');
  return `lxc.mount.entry = ${escape(source)} ${escape(target.slice(1))} none bind${readOnly ? ',ro' : ''},${create} 0 0`;
};

/** The outer LXC configuration of a host, lxc.container.conf(5). */
export const hostConfig = (
  names: HostNames,
  init: 'tini' | 'systemd',
  mounts: readonly ExtraMount[],
): string =>
  [
    `lxc.uts.name = ${names.name}`,
    `lxc.rootfs.path = dir:${names.rootDirectory}`,
    ...(init === 'tini'
      ? [
          'lxc.init.cmd = /usr/bin/tini -g -- /usr/local/sbin/host-init',
          'lxc.signal.halt = SIGTERM',
        ]
      : ['lxc.init.cmd = /sbin/init', 'lxc.signal.halt = SIGRTMIN+3']),
    'lxc.tty.max = 0',
    'lxc.pty.max = 1024',
    'lxc.autodev = 1',
    'lxc.mount.auto = proc:rw sys:rw cgroup:rw:force',
    ...mounts.map(mountLine),
    'lxc.cap.drop =',
    'lxc.apparmor.profile = unconfined',
    'lxc.net.0.type = veth',
    `lxc.net.0.veth.pair = ${names.lxcName}`,
    'lxc.net.0.flags = up',
    'lxc.net.0.name = eth0',
    `lxc.net.0.hwaddr = 02:00:0a:4d:${hexByte(names.number)}:02`,
    `lxc.net.0.ipv4.address = ${hostAddress(names.number)}/24`,
    `lxc.net.0.ipv4.gateway = ${outerAddress(names.number)}`,
    `lxc.net.0.script.up = ${join(names.lxcPath, names.lxcName, 'up')}`,
    '',
  ].join('\n');

/**
 * Runs outside when the host's link appears. The blackhole routes outlive the link: without them
 * traffic to a host that is down would leave through the default route.
 */
export const linkUpScript = ({ number, lxcName }: HostNames): string =>
  [
    '#!/bin/sh',
    'set -e',
    `ip link set dev ${lxcName} address 02:00:0a:4d:${hexByte(number)}:01`,
    `ip addr replace ${outerAddress(number)}/24 dev ${lxcName}`,
    `ip link set ${lxcName} up`,
    `ip route replace ${containerNet(number)} via ${hostAddress(number)}`,
    `ip route replace blackhole ${containerNet(number)} metric 1000`,
    `ip route replace blackhole ${linkNet(number)} metric 1000`,
    '',
  ].join('\n');

/** A file that appears when a host has done its part of booting; removed before each start. */
export const BOOTED_FILE = '/var/lib/gsbed/booted';

/** What a host does at boot: the lower layer for its containers, their bridge, forwarding. */
export const hostInitScript = (number: number, init: 'tini' | 'systemd'): string =>
  [
    '#!/bin/sh',
    'set -e',
    '# Not --rbind: /proc, /dev and other mounts stay out of the containers.',
    'mount --bind / /var/lib/lxc/host/rootfs',
    'mount --make-private /var/lib/lxc/host/rootfs',
    'ip link add lxcbr0 type bridge',
    `ip link set dev lxcbr0 address ${hardwareAddress(number, 1)}`,
    `ip addr add 10.78.${number}.1/24 dev lxcbr0`,
    'ip link set lxcbr0 up',
    'echo 1 > /proc/sys/net/ipv4/ip_forward',
    `touch ${BOOTED_FILE}`,
    ...(init === 'tini' ? ['exec sleep infinity'] : []),
    '',
  ].join('\n');

/** The systemd unit for the same; systemd in a container reads it too, and skips it there. */
export const hostInitUnit = (hostName: string): string =>
  [
    '[Unit]',
    'Description=Lower layer and bridge for the containers of this host',
    `ConditionHost=${hostName}`,
    '',
    '[Service]',
    'Type=oneshot',
    'RemainAfterExit=yes',
    'ExecStart=/usr/local/sbin/host-init',
    '',
    '[Install]',
    'WantedBy=multi-user.target',
    '',
  ].join('\n');
