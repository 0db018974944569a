import { expect, test } from '@jest/globals';
import { readCap } from '../../src/cli/hosts.ts';

test("a host's cap is a whole number, or the fleet's again", () => {
  expect(readCap('3')).toBe(3);
  expect(readCap('default')).toBe('default');
  for (const wrong of ['0', '-1', '1.5', 'none', ''])
    expect(() => readCap(wrong)).toThrow('at least 1, or default');
});
