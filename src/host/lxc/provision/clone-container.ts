import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerName } from '../../../core/ids.ts';
import type { LxcContainer } from '../list-containers.ts';
import { readBridgeNetwork } from './bridge-network.ts';
import { cloneNames } from './clone-names.ts';
import { addressedDevice, cloneConfig, deviceLink } from './container-config.ts';
import { allocateAddresses, formatIpv4 } from './ipv4-network.ts';
import type { Ipv4Network } from './ipv4-network.ts';
import { ensureLowerLayer } from './lower-layer.ts';
import { rewriteOldForm } from '../old-form.ts';
import { ownNames, readHosts } from './own-names.ts';
import { ProvisionError } from './provision-error.ts';
import { withProvisionLock } from './provision-lock.ts';
import { takenAddresses } from './provisioning.ts';
import type { Made, Provisioning } from './provisioning.ts';
import { hasOwnFiles } from './upper-content.ts';
import { upperPath, writeContainers } from './write-containers.ts';

export interface CloneOptions {
  source: ContainerName;
  count: number;
  /** Name to count on from; the source's by default. */
  nameStem: string | null;
  /** Addresses come from here instead of the bridge's whole network. */
  pool: Ipv4Network | null;
  /** Do not copy the source's own files (its upper layer). */
  fresh: boolean;
}

/** The container's layers, if its configuration can be cloned. */
const cloneableLayers = (
  name: ContainerName,
  source: LxcContainer | undefined,
): { lower: string; upper: string } => {
  if (source === undefined) throw new ProvisionError(`there is no container ${name} on this host`);
  if (source.root.kind === 'other')
    throw new ProvisionError(
      `container ${name} is not on the host's root (${source.root.describe}): clone it with lxc-copy`,
    );
  if (source.oldKeys.length > 0)
    throw new ProvisionError(
      `the configuration of ${name} is written in keys that LXC dropped (${source.oldKeys.join(', ')}): rewrite it first: ${rewriteOldForm(source.configPath)}`,
    );
  return source.root;
};

/**
 * Clones a container: its configuration with names, addresses and hardware addresses of their own,
 * and its upper layer where that holds files. A source with files of its own must be down, unless
 * they are left out (`fresh`). Throws ProvisionError or AddressPoolExhausted; nothing is left then.
 */
export const cloneContainer = async (
  provisioning: Provisioning,
  options: CloneOptions,
): Promise<Made> => {
  const { runtime, lxcPath } = provisioning;
  return withProvisionLock(lxcPath, async () => {
    const containers = await runtime.list();
    const source = containers.find(({ name }) => name === options.source);
    const { lower, upper } = cloneableLayers(options.source, source);
    const configPath = join(lxcPath, options.source, 'config');
    const config = await readFile(configPath, 'utf8');
    const device = addressedDevice(config);
    const link = device === null ? null : deviceLink(config, device);
    if (link === null || source?.addresses.length !== 1)
      throw new ProvisionError(
        `${configPath} does not give the container one IPv4 address on a bridge (lxc.net.0.link and lxc.net.0.ipv4.address): its clones could get none of their own`,
      );
    const given = ownNames(options.source, await readHosts());
    const ownFiles = !options.fresh && (await hasOwnFiles(upper, given));
    if (ownFiles && (await runtime.state(options.source)).state !== 'stopped')
      throw new ProvisionError(
        `container ${options.source} runs and has files of its own: stop it (lxc-stop -n ${options.source}) so that they can be copied, or leave them out with --fresh`,
      );
    const lowerLayer = await ensureLowerLayer(lxcPath);
    const bridge = await readBridgeNetwork(link, options.pool);
    const owners = takenAddresses(containers, bridge);
    const addresses = allocateAddresses(bridge.pool, new Set(owners.keys()), options.count);
    const taken = new Set(containers.map(({ name }) => name));
    const names = cloneNames(options.nameStem ?? options.source, options.count, taken);
    const made = names.map((name, index) => ({ name, address: addresses[index] ?? 0 }));
    await writeContainers(
      provisioning,
      made.map(({ name, address }) => ({
        name,
        config: cloneConfig(config, {
          ...{ name, lower, address, network: bridge.network },
          upper: upperPath(lxcPath, name),
        }),
      })),
      ownFiles ? upper : null,
    );
    return {
      containers: made.map(({ name, address }) => ({ name, address: formatIpv4(address) })),
      lowerLayer,
    };
  });
};
