import { describe, expect, test } from '@jest/globals';
import { createStrayJobs, lostLocksText, strayJob } from '../../src/jobs/stray-jobs.ts';

describe('a job that was taken away while it was run', () => {
  test.each([
    ['Missing lock for job h1.example_1f. moveToFinished', 'h1.example_1f'],
    ['Missing key for job h1_1f. moveToFinished', 'h1_1f'],
    ['Lock mismatch for job h1_1f. Cmd moveToFinished from active', 'h1_1f'],
    ['Job h1_1f is not in the active state. moveToFinished', 'h1_1f'],
    ['Job of two words is not in the active state. moveToFinished', 'of two words'],
    ['could not renew lock for job h1_1f', 'h1_1f'],
    ['Connection is closed.', null],
    ['WRONGTYPE Operation against a key holding the wrong kind of value', null],
  ])('%s', (message, id) => {
    expect(strayJob(new Error(message))).toBe(id);
  });

  test('is named as what a slow Redis makes', () => {
    expect(lostLocksText(1, 'Missing lock')).toMatch(/^a job has lost its lock .*Redis is slow/);
    expect(lostLocksText(30, 'Missing lock')).toMatch(/^30 jobs have lost their locks/);
  });
});

test('one id without end within a minute is many times in the list; many ids once each, or one now and then, are not', () => {
  let now = 0;
  const isRepeated = createStrayJobs(() => now);
  const once = Array.from({ length: 200 }, (_, index) => isRepeated(`h1_${index}`));
  expect(once).not.toContain(true);
  const often = Array.from({ length: 6 }, () => isRepeated('h1_0'));
  expect(often).toEqual([false, false, false, true, true, true]);
  now += 60_000;
  expect(isRepeated('h1_0')).toBe(false);
});
