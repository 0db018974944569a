import { describe, expect, test } from '@jest/globals';
import { fc, test as property } from '@fast-check/jest';
import {
  AddressPoolExhausted,
  allocateAddresses,
  containsNetwork,
  formatIpv4,
  formatNetwork,
  hardwareAddress,
  isInNetwork,
  networkSize,
  parseIpv4,
  parseNetwork,
} from '../../../src/host/lxc/provision/ipv4-network.ts';

const networks = fc
  .tuple(fc.nat(0xffffffff), fc.integer({ min: 22, max: 30 }))
  .map(([address, prefixLength]) => ({
    base: address - (address % 2 ** (32 - prefixLength)),
    prefixLength,
  }));

/** A network, some addresses in and around it that are taken, and how many are wanted. */
const requests = networks.chain((network) =>
  fc.record({
    network: fc.constant(network),
    taken: fc
      .array(fc.integer({ min: -3, max: networkSize(network) + 3 }), { maxLength: 200 })
      .map((offsets) => new Set(offsets.map((offset) => network.base + offset))),
    count: fc.integer({ min: 1, max: 300 }),
  }),
);

const freeIn = ({
  network,
  taken,
}: {
  network: { base: number; prefixLength: number };
  taken: Set<number>;
}) =>
  Array.from({ length: networkSize(network) - 2 }, (_, index) => network.base + 1 + index).filter(
    (address) => !taken.has(address),
  );

describe('addresses for new containers', () => {
  property.prop([requests])('are free, usable, different, and as many as wanted', (request) => {
    const { network, taken, count } = request;
    const free = freeIn(request);
    if (free.length < count) {
      expect(() => allocateAddresses(network, taken, count)).toThrow(AddressPoolExhausted);
      return;
    }
    const given = allocateAddresses(network, taken, count);
    expect(new Set(given).size).toBe(count);
    for (const address of given) {
      expect(taken.has(address)).toBe(false);
      expect(isInNetwork(network, address)).toBe(true);
      expect(address).not.toBe(network.base);
      expect(address).not.toBe(network.base + networkSize(network) - 1);
    }
  });

  property.prop([requests])('never collide with those given out before', (request) => {
    const { network, taken } = request;
    const half = Math.floor(freeIn(request).length / 2);
    const first = allocateAddresses(network, taken, half);
    const second = allocateAddresses(network, new Set([...taken, ...first]), half);
    expect(new Set([...first, ...second]).size).toBe(2 * half);
  });

  property.prop([fc.nat(0xffffffff), fc.nat(0xffffffff)])(
    'have hardware addresses that are as different as they are',
    (a, b) => {
      expect(hardwareAddress(a) === hardwareAddress(b)).toBe(a === b);
      expect(hardwareAddress(a)).toMatch(/^02:00(:[0-9a-f]{2}){4}$/);
    },
  );

  property.prop([fc.nat(0xffffffff)])('are written as they are read', (address) => {
    expect(parseIpv4(formatIpv4(address))).toBe(address);
  });

  test('an exhausted network says how many are left and what to do', () => {
    const network = { base: 0x0a000300, prefixLength: 30 };
    expect(() => allocateAddresses(network, new Set([0x0a000301]), 2)).toThrow(
      'network 10.0.3.0/30 has 1 free address, 2 wanted: remove containers, or give the bridge a wider network',
    );
  });

  test.each([
    ['10.0.3.1/24', '10.0.3.0/24'],
    ['10.0.3.200/25', '10.0.3.128/25'],
    ['255.255.255.254/30', '255.255.255.252/30'],
  ])('%s lies in %s', (text, network) => {
    const parsed = parseNetwork(text);
    expect(parsed === null ? null : formatNetwork(parsed)).toBe(network);
  });

  test.each(['10.0.3.1', '10.0.3.256/24', '10.0.3/24', '10.0.3.1/31', '10.0.3.1/7', '::1/64', ''])(
    '%s is no network for containers',
    (text) => {
      expect(parseNetwork(text)).toBeNull();
    },
  );

  test('a part of a network is within it, the whole not within its part', () => {
    const [whole, part] = [parseNetwork('10.0.3.0/24'), parseNetwork('10.0.3.128/25')];
    if (whole === null || part === null) throw new Error('both are networks');
    expect(containsNetwork(whole, part)).toBe(true);
    expect(containsNetwork(part, whole)).toBe(false);
  });
});
