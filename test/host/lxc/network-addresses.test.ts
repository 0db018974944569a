import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { firstAddress } from '../../../src/host/lxc/network-addresses.ts';
import type { NetworkFiles } from '../../../src/host/lxc/network-addresses.ts';

const recorded = (name: string): string =>
  readFileSync(new URL(`../../fixtures/proc/net/${name}`, import.meta.url), 'utf8');

/** Of eth0 with 10.0.3.17, 10.0.3.18 and fd00::5, docker0 with 172.17.0.1, and 192.168.9.1/32. */
const files: NetworkFiles = {
  fibTrie: recorded('fib_trie'),
  route: recorded('route'),
  inet6: recorded('if_inet6'),
};

describe('the address of a running container', () => {
  test.each<[string, Partial<NetworkFiles>, string, string | null]>([
    ['the first of the first interface', {}, 'eth0', '10.0.3.17'],
    ['of another that was named first', {}, 'docker0', '172.17.0.1'],
    ['IPv6 where the interface has no other', { fibTrie: null, route: null }, 'eth0', 'fd00::5'],
    ['without IPv6 in the kernel', { inet6: null }, 'eth0', '10.0.3.17'],
    ['in no network of its own, before other interfaces', {}, 'wan0', '192.168.9.1'],
    ['no file at all', { fibTrie: null, route: null, inet6: null }, 'eth0', null],
  ])('%s', (_, more, first, expected) => {
    expect(firstAddress({ ...files, ...more }, first)).toBe(expected);
  });

  test.each([
    ['that is not yet known to be free', '40', null],
    ['that somebody else has', '88', null],
    ['made up for a while, after one that lasts', '01', 'fd00::6'],
  ])('an IPv6 address %s', (_, flags, expected) => {
    const line = (address: string, of: string): string => `${address} 03 40 00 ${of}     eth0\n`;
    const lasting = expected === null ? '' : line('fd000000000000000000000000000006', '80');
    const inet6 = line('fd000000000000000000000000000005', flags) + lasting;
    expect(firstAddress({ fibTrie: null, route: null, inet6 }, 'eth0')).toBe(expected);
  });

  test('loopback and link-local addresses are none', () => {
    const leaf = (address: string): string => `  |-- ${address}\n     /32 host LOCAL\n`;
    const fibTrie = `Local:\n${leaf('127.0.0.1')}${leaf('169.254.7.8')}`;
    const inet6 = 'fe800000000000000000000000000005 03 40 20 80     eth0\n';
    expect(firstAddress({ fibTrie, route: null, inet6 }, 'eth0')).toBeNull();
  });
});
