import { InvalidArgumentError } from 'commander';
import { ContainerName } from '../../core/ids.ts';
import { parseIpv4, parseNetwork } from '../../host/lxc/provision/ipv4-network.ts';
import type { Ipv4Network } from '../../host/lxc/provision/ipv4-network.ts';

/** Readers of arguments: commander names the option and shows what they throw. */

export const readName = (text: string): ContainerName => {
  const parsed = ContainerName.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError(
    'Want a container name such as web-01: letters, digits, dot, dash and underscore, at most 63.',
  );
};

export const readCount = (text: string): number => {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= 10_000) return count;
  throw new InvalidArgumentError('Want a number from 1 to 10000.');
};

export const readSeconds = (text: string): number => {
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Want a number of seconds.');
};

export const readAddress = (text: string): number => {
  const address = parseIpv4(text);
  if (address !== null) return address;
  throw new InvalidArgumentError('Want an IPv4 address such as 10.0.3.17.');
};

export const readNetwork = (text: string): Ipv4Network => {
  const network = parseNetwork(text);
  if (network !== null) return network;
  throw new InvalidArgumentError('Want an IPv4 network such as 10.0.3.0/24 (from /8 to /30).');
};

export const readService = (text: string): string => {
  if (/^[a-z0-9][a-z0-9./-]{0,126}$/.test(text)) return text;
  throw new InvalidArgumentError('Want a service such as web: a-z, 0-9, dot, slash and dash.');
};

export const readSignal = (text: string): string => {
  if (/^SIG[A-Z0-9+-]+$/.test(text)) return text;
  throw new InvalidArgumentError('Want a signal such as SIGTERM or SIGRTMIN+3.');
};
