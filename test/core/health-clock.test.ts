import { describe, expect, test as plain } from '@jest/globals';
import { fc, test } from '@fast-check/jest';
import { startHealthClock, tellHealthClock } from '../../src/core/health-clock.ts';
import type { HealthVerdict } from '../../src/core/health-clock.ts';
import type { Health } from '../../src/core/observation.ts';

const run = (
  probes: readonly (readonly [now: number, health: Health])[],
  minHealthyTimeMs: number,
  healthyDeadlineMs: number | null,
): { at: number | null; verdict: HealthVerdict } => {
  let clock = startHealthClock(0);
  for (const [now, health] of probes) {
    const limits = { minHealthyTimeMs, healthyDeadlineMs };
    const told = tellHealthClock(clock, limits, { health, reason: 'refused' }, now);
    clock = told.clock;
    if (told.verdict.kind !== 'waiting') return { at: now, verdict: told.verdict };
  }
  return { at: null, verdict: { kind: 'waiting' } };
};

describe('health clock', () => {
  plain.each<[string, [number, Health][], number, number | null, string, number | null]>([
    [
      'the first success is enough at 0',
      [
        [5, 'unhealthy'],
        [9, 'healthy'],
      ],
      0,
      100,
      'healthy',
      9,
    ],
    [
      'successes must last',
      [
        [0, 'healthy'],
        [50, 'healthy'],
      ],
      60,
      1000,
      'waiting',
      null,
    ],
    [
      'healthy at exactly the time',
      [
        [0, 'healthy'],
        [60, 'healthy'],
      ],
      60,
      1000,
      'healthy',
      60,
    ],
    [
      'a failure restarts it',
      [
        [0, 'healthy'],
        [50, 'unhealthy'],
        [60, 'healthy'],
        [110, 'healthy'],
      ],
      60,
      1000,
      'waiting',
      null,
    ],
    [
      'an unknown restarts it too',
      [
        [0, 'healthy'],
        [50, 'unknown'],
        [60, 'healthy'],
        [110, 'healthy'],
      ],
      60,
      1000,
      'waiting',
      null,
    ],
    [
      'failed at the deadline',
      [
        [99, 'unhealthy'],
        [100, 'unhealthy'],
      ],
      0,
      100,
      'failed',
      100,
    ],
    ['a success at the deadline counts', [[100, 'healthy']], 0, 100, 'healthy', 100],
    [
      'too short a success at the deadline does not',
      [
        [90, 'healthy'],
        [100, 'healthy'],
      ],
      60,
      100,
      'failed',
      100,
    ],
    ['no deadline, no failure', [[1e9, 'unhealthy']], 0, null, 'waiting', null],
  ])('%s', (_, probes, minHealthyTimeMs, deadlineMs, kind, at) => {
    const told = run(probes, minHealthyTimeMs, deadlineMs);
    expect([told.verdict.kind, told.at]).toEqual([kind, at]);
  });

  plain('a failure says what was seen last, and that it flapped', () => {
    const { verdict } = run(
      [
        [0, 'healthy'],
        [10, 'unhealthy'],
        [2000, 'unhealthy'],
      ],
      60,
      2000,
    );
    expect(verdict).toEqual({
      kind: 'failed',
      reason: 'not healthy within 2 s: refused; was healthy for a while 1 times',
    });
  });

  const probes = fc
    .array(
      fc.tuple(
        fc.integer({ min: 1, max: 50 }),
        fc.constantFrom<Health>('healthy', 'unhealthy', 'unknown'),
      ),
      { maxLength: 60 },
    )
    .map((steps) => {
      let now = 0;
      return steps.map(([gap, health]): [number, Health] => [(now += gap), health]);
    });

  test.prop([probes, fc.integer({ min: 0, max: 120 }), fc.integer({ min: 1, max: 600 })])(
    'is healthy only after an unbroken run that is long enough, and always decided by the deadline',
    (list, minHealthyTimeMs, deadlineMs) => {
      const { at, verdict } = run(list, minHealthyTimeMs, deadlineMs);
      if (verdict.kind === 'healthy') {
        const seen = list.filter(([now]) => now <= (at ?? 0));
        const lastBad = seen.map(([, health]) => health !== 'healthy').lastIndexOf(true);
        const unbroken = seen.slice(lastBad + 1).map(([now]) => now);
        expect((unbroken.at(-1) ?? -1) - (unbroken[0] ?? 0)).toBeGreaterThanOrEqual(
          minHealthyTimeMs,
        );
      }
      if (verdict.kind === 'waiting') expect(list.every(([now]) => now < deadlineMs)).toBe(true);
    },
  );
});
