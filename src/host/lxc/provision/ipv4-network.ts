/** An IPv4 network; addresses are unsigned numbers. */
export interface Ipv4Network {
  /** First address of the network, which no container gets. */
  base: number;
  prefixLength: number;
}

const OCTETS = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;

/** `10.0.3.1` as a number; null when it is no IPv4 address. */
export const parseIpv4 = (text: string): number | null => {
  const octets = OCTETS.exec(text)?.slice(1).map(Number);
  if (octets === undefined || octets.some((octet) => octet > 255)) return null;
  return octets.reduce((address, octet) => address * 256 + octet, 0);
};

export const formatIpv4 = (address: number): string =>
  [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');

/** How many addresses the network spans, its own and the broadcast address included. */
export const networkSize = ({ prefixLength }: Ipv4Network): number => 2 ** (32 - prefixLength);

/** The network of `10.0.3.1/24`; null when the text is none that containers could live in. */
export const parseNetwork = (text: string): Ipv4Network | null => {
  const [addressText = '', lengthText = ''] = text.split('/');
  const address = parseIpv4(addressText);
  if (address === null || !/^\d{1,2}$/.test(lengthText)) return null;
  const prefixLength = Number(lengthText);
  if (prefixLength < 8 || prefixLength > 30) return null;
  return { base: address - (address % 2 ** (32 - prefixLength)), prefixLength };
};

export const formatNetwork = (network: Ipv4Network): string =>
  `${formatIpv4(network.base)}/${network.prefixLength}`;

export const isInNetwork = (network: Ipv4Network, address: number): boolean =>
  address >= network.base && address < network.base + networkSize(network);

/** Whether every address of `inner` is one of `outer`. */
export const containsNetwork = (outer: Ipv4Network, inner: Ipv4Network): boolean =>
  inner.prefixLength >= outer.prefixLength && isInNetwork(outer, inner.base);

/** No address is left for the containers that were asked for. */
export class AddressPoolExhausted extends Error {
  override name = 'AddressPoolExhausted';
}

/**
 * The `count` lowest addresses of the network that nobody has; `taken` are all that must not be
 * given out (gateway, other containers, leases). The network's first and last address never are.
 * Throws AddressPoolExhausted when fewer are free.
 */
export const allocateAddresses = (
  network: Ipv4Network,
  taken: ReadonlySet<number>,
  count: number,
): number[] => {
  const free: number[] = [];
  const last = network.base + networkSize(network) - 2;
  for (let address = network.base + 1; address <= last && free.length < count; address++)
    if (!taken.has(address)) free.push(address);
  if (free.length < count)
    throw new AddressPoolExhausted(
      `network ${formatNetwork(network)} has ${free.length} free ${free.length === 1 ? 'address' : 'addresses'}, ${count} wanted: remove containers, or give the bridge a wider network`,
    );
  return free;
};

/**
 * A hardware address that follows from the IPv4 address, in the locally administered range. A
 * random one at each start would leave stale neighbour entries: unreachable for up to 35 s.
 */
export const hardwareAddress = (address: number): string =>
  [2, 0, ...[24, 16, 8, 0].map((shift) => (address >>> shift) & 255)]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join(':');
