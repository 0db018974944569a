import { describe, expect, test } from '@jest/globals';
import { idleSince } from '../../../src/producers/packages/idle-time.ts';

const at = (monotonicMs: number, wallMs = 1_000_000 + monotonicMs) => ({ monotonicMs, wallMs });

describe('since when a package manager has been idle (R30)', () => {
  test('activity from before the first look counts from when it was', () => {
    const look = { activity: 'a', activityAtMs: 1_000_000 - 4000, atRest: true };
    expect(idleSince(null, look, at(0)).sinceMs).toBe(-4000);
  });

  test('the same signs go on, new ones begin anew', () => {
    const first = idleSince(null, { activity: 'a', activityAtMs: 1_000_000, atRest: true }, at(0));
    const same = { activity: 'a', activityAtMs: 1_000_000, atRest: true };
    expect(idleSince(first, same, at(3000)).sinceMs).toBe(0);
    const more = { activity: 'b', activityAtMs: 1_002_900, atRest: true };
    expect(idleSince(first, more, at(3000)).sinceMs).toBe(2900);
  });

  test('a manager at work is not idle, whatever the file times say', () => {
    const look = { activity: 'a', activityAtMs: 1, atRest: false };
    const busy = idleSince(null, look, at(7000));
    expect(busy.sinceMs).toBe(7000);
    expect(idleSince(busy, { ...look, atRest: true }, at(9000)).sinceMs).toBe(7000);
  });

  test('a wall clock that was set back does not make it wait for ever', () => {
    const look = { activity: 'a', activityAtMs: 9_000_000, atRest: true };
    const first = idleSince(null, look, at(0));
    expect(first.sinceMs).toBe(0);
    expect(idleSince(first, look, at(5000, 1)).sinceMs).toBe(0);
  });
});
