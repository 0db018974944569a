import { readFile, stat } from 'node:fs/promises';
import type { ContainerName } from '../../../core/ids.ts';
import { readBridgeNetwork } from './bridge-network.ts';
import { confinementOf, containerConfig } from './container-config.ts';
import { allocateAddresses, formatIpv4, formatNetwork, isInNetwork } from './ipv4-network.ts';
import type { Ipv4Network } from './ipv4-network.ts';
import { ensureLowerLayer } from './lower-layer.ts';
import { ProvisionError } from './provision-error.ts';
import { withProvisionLock } from './provision-lock.ts';
import { takenAddresses } from './provisioning.ts';
import type { Made, Provisioning } from './provisioning.ts';
import { upperPath, writeContainers } from './write-containers.ts';

export interface CreateOptions {
  name: ContainerName;
  service: string | null;
  init: string;
  haltSignal: string | null;
  autostart: boolean;
  bridge: string;
  /** Addresses come from here instead of the bridge's whole network. */
  pool: Ipv4Network | null;
  /** A certain address instead of the lowest free one. */
  address: number | null;
}

/** The distribution's defaults: dropped capabilities, device access, seccomp. */
const COMMON_CONFIG = '/usr/share/lxc/config/common.conf';
/** What lxc-create(1) begins the configuration of a new container with. */
const DEFAULT_CONFIG = '/etc/lxc/default.conf';

const chosenAddress = (
  address: number,
  owners: ReadonlyMap<number, string>,
  network: Ipv4Network,
): number => {
  const owner = owners.get(address);
  if (owner !== undefined)
    throw new ProvisionError(`${formatIpv4(address)} is taken by ${owner}: choose another`);
  if (!isInNetwork(network, address))
    throw new ProvisionError(`${formatIpv4(address)} is not in ${formatNetwork(network)}`);
  return address;
};

/**
 * Makes an OverlayFS container over the host's root. It is not started. Throws ProvisionError (or
 * AddressPoolExhausted) with what to do when it cannot be made; nothing is left then.
 */
export const createContainer = async (
  provisioning: Provisioning,
  options: CreateOptions,
): Promise<Made> => {
  const { runtime, lxcPath } = provisioning;
  if (options.init.includes('\n')) throw new ProvisionError('the init command spans several lines');
  return withProvisionLock(lxcPath, async () => {
    const lowerLayer = await ensureLowerLayer(lxcPath);
    const bridge = await readBridgeNetwork(options.bridge, options.pool);
    const owners = takenAddresses(await runtime.list(), bridge);
    const address =
      options.address === null
        ? (allocateAddresses(bridge.pool, new Set(owners.keys()), 1)[0] ?? 0)
        : chosenAddress(options.address, owners, bridge.network);
    const hasCommon = await stat(COMMON_CONFIG).then(
      () => true,
      () => false,
    );
    const config = containerConfig({
      ...options,
      lower: lowerLayer.path,
      upper: upperPath(lxcPath, options.name),
      includes: hasCommon ? [COMMON_CONFIG] : [],
      confinement: confinementOf(await readFile(DEFAULT_CONFIG, 'utf8').catch(() => '')),
      network: bridge.network,
      gateway: bridge.gateway,
      address,
    });
    await writeContainers(provisioning, [{ name: options.name, config }], null);
    return { containers: [{ name: options.name, address: formatIpv4(address) }], lowerLayer };
  });
};
