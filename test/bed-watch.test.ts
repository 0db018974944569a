import { expect, test } from '@jest/globals';
import { provesNothing } from './bed/watch-availability.ts';

const report = { lowest: { web: 4 }, samples: 200, longestGapMs: 120, blindShare: 0.05 };

test('a watcher that looked often and saw somebody away proves something', () => {
  expect(provesNothing('w', report, { web: 5 })).toEqual([]);
});

test.each([
  ['one look', { samples: 1 }, 'w looked 1 times only'],
  [
    'a watcher that stood still for most of it',
    { blindShare: 0.6, longestGapMs: 4_000 },
    'w was blind for 60 % of the time, up to 4000 ms',
  ],
  ['one that saw nobody away', { lowest: { web: 5 } }, 'w saw nobody of web away'],
  ['one that never saw the service', { lowest: {} }, 'w saw nobody of web away'],
])('%s proves nothing', (_, more, complaint) => {
  expect(provesNothing('w', { ...report, ...more }, { web: 5 })).toEqual([complaint]);
});
