import { describe, expect, test } from '@jest/globals';
import type { PolicyRule } from '../../../src/core/coordinator/policy.ts';
import { auto, begin, finish, need, orders, tell, waves } from './advisory-scene.ts';
import { view } from './fleet-scene.ts';

const window = { fromMinute: 0, toMinute: 60 };
const urgent: PolicyRule = { ...auto, exploited: true, latestMs: 0 };
const libc = need({ name: 'libc6', target: '9', offered: [{ feed: 'debian', id: 'DSA-2-1' }] });

describe('what waits for its maintenance window no longer', () => {
  test('takes nothing else out of it', () => {
    const here = begin([urgent, auto], { window });
    expect(orders(tell(here, [libc]))).toEqual([]);
    expect(orders(tell(here, [libc, need({ exploited: true })]))).toEqual([['h1', 'exact 2']]);
    // Nor where both were in one wave before.
    const other = begin([urgent, auto], { window });
    expect(orders(tell(other, [libc, need()]))).toEqual([]);
    expect(orders(tell(other, [libc, need({ exploited: true })]))).toEqual([['h1', 'exact 2']]);
    expect(orders(finish(other, 'h1', '2', null, [view('web-h1', { stale: [] })]))).toEqual([
      ['h2', 'exact 2'],
    ]);
    other.wall.minuteOfDay = 10;
    expect(orders(other.step({ kind: 'tick' }))).toEqual([]);
    expect(orders(tell(other, [libc], ['h1']))).toEqual([['h1', 'exact 9']]);
  });

  test('nor what a person has approved with it', () => {
    const here = begin([urgent], { window });
    tell(here, [libc, need()], ['h1']);
    here.act({ action: 'approve', waveId: waves(here)[0]?.id ?? '' });
    expect(orders(tell(here, [libc, need({ exploited: true })], ['h1']))).toEqual([
      ['h1', 'exact 2'],
    ]);
    expect(waves(here).map(({ cause }) => ('mode' in cause ? cause.mode : ''))).toEqual([
      'approve',
      'auto',
    ]);
  });

  test('stays in its wave where all of that is late', () => {
    const here = begin([{ ...auto, latestMs: 10_000 }], { window });
    tell(here, [libc, need({ firstSeen: 1_000 })], ['h1']);
    here.wall.ms = 11_000;
    expect(orders(here.step({ kind: 'tick' }))).toEqual([['h1', 'exact 9', 'exact 2']]);
    expect(waves(here)).toHaveLength(1);
  });
});
