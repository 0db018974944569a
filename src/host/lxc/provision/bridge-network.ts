import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { containsNetwork, formatNetwork, parseIpv4, parseNetwork } from './ipv4-network.ts';
import type { Ipv4Network } from './ipv4-network.ts';
import { ProvisionError } from './provision-error.ts';
import { runSystemCommand } from './system-command.ts';

/** The network that containers share with a bridge of the host. */
export interface BridgeNetwork {
  network: Ipv4Network;
  /** The part of it that addresses are given out of. */
  pool: Ipv4Network;
  /** The bridge's own address: the containers' gateway. */
  gateway: number;
  /** Addresses that something other than a container's configuration has. */
  taken: number[];
}

/** The part of `ip -json address` that matters; iproute2 adds fields from version to version. */
const Addresses = z.array(
  z.object({
    addr_info: z
      .array(z.object({ family: z.string(), local: z.string(), prefixlen: z.int() }))
      .default([]),
  }),
);

const isNumber = (value: number | null): value is number => value !== null;

/** Addresses in a lease file of dnsmasq: `expiry mac address name client`, one a line. */
export const leasedAddresses = (leases: string): number[] =>
  leases
    .split('\n')
    .map((line) => parseIpv4(line.split(' ')[2] ?? ''))
    .filter(isNumber);

const readLeases = async (bridge: string): Promise<number[]> => {
  // Where Debian's and Ubuntu's lxc-net have it.
  const text = await readFile(`/var/lib/misc/dnsmasq.${bridge}.leases`, 'utf8').catch(() => '');
  return leasedAddresses(text);
};

/**
 * The IPv4 network of a bridge, out of its own address. Addresses are given out of `pool`, or of
 * the whole network. Throws ProvisionError when there is no such bridge, or when `pool` lies in
 * none of its networks.
 */
export const readBridgeNetwork = async (
  bridge: string,
  pool: Ipv4Network | null,
): Promise<BridgeNetwork> => {
  const args = ['-json', '-4', 'address', 'show', 'dev', bridge];
  const text = await runSystemCommand('ip', args).catch((error: unknown) => {
    if (error instanceof ProvisionError && error.message.includes('does not exist'))
      throw new ProvisionError(
        `there is no bridge ${bridge} on this host: start the one of LXC (systemctl start lxc-net), or name another with --bridge`,
      );
    throw error;
  });
  const own = Addresses.parse(JSON.parse(text === '' ? '[]' : text))
    .flatMap(({ addr_info: info }) => info)
    .flatMap(({ local, prefixlen }) => {
      const [gateway, network] = [parseIpv4(local), parseNetwork(`${local}/${prefixlen}`)];
      return gateway === null || network === null ? [] : [{ gateway, network }];
    });
  const fitting = own.find(({ network }) => pool === null || containsNetwork(network, pool));
  if (fitting === undefined)
    throw new ProvisionError(
      pool === null
        ? `bridge ${bridge} has no IPv4 address: give it one, such as ip address add 10.0.3.1/24 dev ${bridge}`
        : `${formatNetwork(pool)} is not within the network of bridge ${bridge} (${own.map(({ network }) => formatNetwork(network)).join(', ') || 'it has none'})`,
    );
  return {
    ...fitting,
    pool: pool ?? fitting.network,
    taken: [...own.map(({ gateway }) => gateway), ...(await readLeases(bridge))],
  };
};
