import { endianness } from 'node:os';

/** What procfs says of one network namespace; null: the kernel has no such file. */
export interface NetworkFiles {
  /** Of fib_trie: the addresses that are local, without their interfaces. */
  fibTrie: string | null;
  /** Of route: which network each interface is in. */
  route: string | null;
  /** Of if_inet6. */
  inet6: string | null;
}

interface InterfaceAddress {
  interface: string;
  address: string;
}

const ipv4Number = (address: string): number =>
  address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);

/** Loopback and link-local addresses reach nobody from elsewhere, RFC 6890. */
const isGlobal = (address: string): boolean => !/^(?:127\.|169\.254\.|0\.)/.test(address);

/** Local addresses, in the kernel's order: `|-- 10.0.3.17` with `/32 host LOCAL` below it. */
const localAddresses = (fibTrie: string): string[] => {
  const found = new Set<string>();
  let leaf = '';
  for (const line of fibTrie.split('\n')) {
    leaf = /\|-- (\S+)/.exec(line)?.[1] ?? leaf;
    if (/^\s*\/32 host LOCAL/.test(line) && isGlobal(leaf)) found.add(leaf);
  }
  return [...found];
};

/** The kernel prints these numbers as they lie in memory, in network order. */
const hexNumber = (text: string): number =>
  Buffer.from(text, 'hex')[endianness() === 'LE' ? 'readUInt32LE' : 'readUInt32BE']();

interface Network {
  interface: string;
  network: number;
  mask: number;
}

/** Networks that an interface is itself in, the narrowest first. */
const connectedNetworks = (route: string): Network[] =>
  route
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .flatMap(([name = '', destination = '', gateway = '', , , , , mask = '']) =>
      /^[0-9A-F]{8}$/.test(destination) && /^0{8}$/.test(gateway) && /[1-9A-F]/.test(mask)
        ? [{ interface: name, network: hexNumber(destination), mask: hexNumber(mask) }]
        : [],
    )
    .sort((a, b) => b.mask - a.mask);

const inet4 = ({ fibTrie, route }: NetworkFiles): InterfaceAddress[] => {
  const networks = connectedNetworks(route ?? '');
  return localAddresses(fibTrie ?? '').map((address) => ({
    address,
    interface:
      networks.find(({ network, mask }) => (ipv4Number(address) & mask) >>> 0 === network)
        ?.interface ?? '',
  }));
};

/** Not yet known to be free, or known not to be (IFA_F_TENTATIVE, IFA_F_DADFAILED). */
const notUsable = 0x40 | 0x08;
/** Made up for a while, for privacy (IFA_F_TEMPORARY). */
const temporary = 0x01;

/** As RFC 5952 writes it. */
const shortIpv6 = (address: string): string => new URL(`http://[${address}]`).hostname.slice(1, -1);

const inet6 = (text: string): InterfaceAddress[] =>
  text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .flatMap(([hex = '', , , scope = '', flags = '', name = '']) =>
      /^[0-9a-f]{32}$/.test(hex) && scope === '00' && (parseInt(flags, 16) & notUsable) === 0
        ? [
            {
              interface: name,
              address: shortIpv6((hex.match(/.{4}/g) ?? []).join(':')),
              lasts: (parseInt(flags, 16) & temporary) === 0,
            },
          ]
        : [],
    )
    .sort((a, b) => Number(b.lasts) - Number(a.lasts));

/**
 * The address by which a container is reached, of several: the first global one of its first interface, IPv4
 * before IPv6. First is the one that LXC made first (`lxc.net.0`); one that has none comes after addresses
 * that are in no network of their own, and those before all others. Null: it has none.
 */
export const firstAddress = (files: NetworkFiles, firstInterface: string): string | null => {
  const all = [...inet4(files), ...inet6(files.inet6 ?? '')];
  const on = (name: string): InterfaceAddress | undefined =>
    all.find((one) => one.interface === name);
  return (on(firstInterface) ?? on('') ?? all[0])?.address ?? null;
};
