import { expect, test } from '@jest/globals';
import { isoTime, isoTimeOfSeconds } from '../../../src/producers/advisories/iso-time.ts';

test.each([
  ['2011-09-27 22:46', '2011-09-27T22:46:00.000Z'],
  ['2023-02-22 23:22:00', '2023-02-22T23:22:00.000Z'],
  ['2023-05-09 18:35:00 UTC', '2023-05-09T18:35:00.000Z'],
  ['2025-11-27T09:11:22.820964+00:00', '2025-11-27T09:11:22.820Z'],
  ['2024-08-11T01:58:49+02:00', '2024-08-10T23:58:49.000Z'],
  ['2024-08-10T20:28:49-03:30', '2024-08-10T23:58:49.000Z'],
  ['2024-07-29', '2024-07-29T00:00:00.000Z'],
  ['2024-13-29', null],
  ['0001-01-01', null],
  ['2024-07-29 or so', null],
  ['', null],
  [undefined, null],
])('%s is %s', (text, time) => {
  expect(isoTime(text)).toBe(time);
});

test.each([
  [1628589283, '2021-08-10T09:54:43.000Z'],
  [1e300, null],
  [-1, null],
  [NaN, null],
])('%d seconds are %s', (seconds, time) => {
  expect(isoTimeOfSeconds(seconds)).toBe(time);
});
