import { expect, test } from '@jest/globals';
import {
  lostTooMuch,
  newFeedState,
  nextPollAfter,
  silentSince,
} from '../../../src/core/advisories/feed-state.ts';

const hour = 3_600_000;

test.each<[string, { failures: number; retryAfterMs?: number }, number, number]>([
  ['after its interval, a little earlier for some', { failures: 0 }, 900_000, 810_000],
  ['the same after the first failure, a little later', { failures: 1 }, 900_000, 990_000],
  ['longer with each failure', { failures: 4 }, 7_200_000, 7_920_000],
  ['never longer than six hours', { failures: 60 }, 6 * hour, 6.6 * hour],
  [
    'not before the server wants it',
    { failures: 1, retryAfterMs: 5_000_000 },
    5_000_000,
    5_000_000,
  ],
])('a feed is asked %s', (_, { failures, retryAfterMs = null }, least, most) => {
  const at = (random: number): number =>
    nextPollAfter(1_000, { everyMs: 900_000, failures, retryAfterMs, random }) - 1_000;
  expect(at(0)).toBeCloseTo(least);
  expect(at(1)).toBeCloseTo(most);
});

test('an interval that is longer than six hours is kept after failures', () => {
  expect(nextPollAfter(0, { everyMs: 24 * hour, failures: 9, retryAfterMs: null, random: 0 })).toBe(
    24 * hour,
  );
});

test.each([
  [0, 0, false],
  [1, 0, true],
  [19, 1, false],
  [20, 9, true],
  [20, 10, false],
  [5_000, 2_499, true],
  [5_000, 6_000, false],
])('of %d advisories, %d left: held back %s', (had, has, held) => {
  expect(lostTooMuch(had, has)).toBe(held);
});

test('a feed is silent when its last success, or its beginning, is too long ago', () => {
  const state = newFeedState({ name: 'a', source: 'osv', place: '/' }, 1_000);
  expect(silentSince(state, 1_000 + hour, hour)).toBeNull();
  expect(silentSince(state, 1_001 + hour, hour)).toBe(1_000);
  expect(silentSince({ ...state, lastSuccess: 5_000 }, 1_001 + hour, hour)).toBeNull();
});
