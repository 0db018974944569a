import type { ContainerName } from '../../../core/ids.ts';
import type { LxcContainer } from '../list-containers.ts';
import type { LxcRuntime } from '../lxc-runtime.ts';
import type { BridgeNetwork } from './bridge-network.ts';
import { parseIpv4 } from './ipv4-network.ts';
import type { LowerLayer } from './lower-layer.ts';
import type { PrivatePlaces } from './private-directories.ts';

/** Where containers are made. */
export interface Provisioning extends PrivatePlaces {
  runtime: LxcRuntime;
}

/** What was made. */
export interface Made {
  containers: { name: ContainerName; address: string }[];
  lowerLayer: LowerLayer;
}

/** Every address that must not be given out, and who has it. */
export const takenAddresses = (
  containers: readonly LxcContainer[],
  { taken }: BridgeNetwork,
): Map<number, string> => {
  const owners = new Map<number, string>(
    taken.map((address) => [address, 'the bridge, or a lease of its DHCP server']),
  );
  for (const { name, addresses } of containers)
    for (const text of addresses) {
      const address = parseIpv4(text);
      if (address !== null) owners.set(address, `container ${name}`);
    }
  return owners;
};
