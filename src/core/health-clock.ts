import type { Health } from './observation.ts';

export interface HealthClockSettings {
  /** Successes must go on for this long without a break; 0: the first one is enough. */
  minHealthyTimeMs: number;
  /** Failed when not healthy this long after the start; null: watched without limit (R20). */
  healthyDeadlineMs: number | null;
}

/** Where a container is on its way back to health. Times are the caller's monotonic ms. */
export interface HealthClock {
  startedAt: number;
  /** First success of the run of successes that goes on now; null: the last probe failed. */
  healthySince: number | null;
  /** Runs of successes that broke off. */
  flaps: number;
}

export interface ProbeAnswer {
  health: Health;
  reason: string;
}

export type HealthVerdict =
  { kind: 'waiting' } | { kind: 'healthy' } | { kind: 'failed'; reason: string };

export const startHealthClock = (now: number): HealthClock => ({
  startedAt: now,
  healthySince: null,
  flaps: 0,
});

const seconds = (ms: number): string => `${Math.round(ms / 100) / 10} s`;

/**
 * The clock after one more probe that ended at `now`, and what it says. A probe that could not be
 * made (`unknown`) is no success: it starts the run of successes anew as a failure does.
 */
export const tellHealthClock = (
  clock: HealthClock,
  { minHealthyTimeMs, healthyDeadlineMs }: HealthClockSettings,
  { health, reason }: ProbeAnswer,
  now: number,
): { clock: HealthClock; verdict: HealthVerdict } => {
  const healthySince = health === 'healthy' ? (clock.healthySince ?? now) : null;
  const next = {
    startedAt: clock.startedAt,
    healthySince,
    flaps: clock.flaps + (clock.healthySince !== null && healthySince === null ? 1 : 0),
  };
  if (healthySince !== null && now - healthySince >= minHealthyTimeMs)
    return { clock: next, verdict: { kind: 'healthy' } };
  if (healthyDeadlineMs === null || now - clock.startedAt < healthyDeadlineMs)
    return { clock: next, verdict: { kind: 'waiting' } };
  const last = healthySince === null ? reason : `healthy for ${seconds(now - healthySince)} only`;
  const flapped = next.flaps === 0 ? '' : `; was healthy for a while ${next.flaps} times`;
  return {
    clock: next,
    verdict: {
      kind: 'failed',
      reason: `not healthy within ${seconds(healthyDeadlineMs)}: ${last}${flapped}`,
    },
  };
};
