import { expect, test } from '@jest/globals';
import { platformValue } from '../../src/core/platform-value.ts';

test.each([
  ['almalinux-9.4', 'all of 9'],
  ['almalinux-9', 'all of 9'],
  ['almalinux-9.6', 'just this'],
  ['almalinux-9.6.1', 'just this'],
  ['almalinux-90.1', undefined],
  ['debian-12', undefined],
  ['constructor', undefined],
])('of %s: %s', (platform, value) => {
  const values = { 'almalinux-9': 'all of 9', 'almalinux-9.6': 'just this' };
  expect(platformValue(values, platform)).toBe(value);
});
