import { setTimeout as sleep } from 'node:timers/promises';
import { startHealthClock, tellHealthClock } from '../../core/health-clock.ts';
import type { HostServiceSettings } from '../../core/service-settings.ts';
import { probe } from './probe.ts';
import type { ProbeDependencies, ProbeLimits, ProbeResult, ProbeTarget } from './probe.ts';

export interface WaitOptions {
  settings: Pick<
    HostServiceSettings,
    'health' | 'probeIntervalMs' | 'probeTimeoutMs' | 'minHealthyTimeMs' | 'healthyDeadlineMs'
  >;
  target: ProbeTarget;
  /** False: a grant that has failed already is watched without limit (R20). */
  deadline: boolean;
  signal?: AbortSignal | undefined;
}

export interface WaitResult {
  /** `down`: the container stopped meanwhile; `gone`: it is not there any more. */
  result: 'healthy' | 'deadline' | 'down' | 'gone' | 'aborted';
  reason: string;
  probes: number;
  tookMs: number;
}

/** A restart takes some 60 ms, so the first second is worth the look; afterwards the configured interval. */
const TIGHT_MS = 1_000;
const TIGHT_PAUSE_MS = { first: 5, later: 10 };
const TIGHT_CONNECT_MS = 100;
/** How often a container that does not answer is asked for its state as well. */
const STATE_EVERY_MS = 100;

const pauseMs = (sinceStartMs: number, intervalMs: number, minHealthyLeftMs: number): number => {
  const tight =
    sinceStartMs < TIGHT_MS / 5
      ? TIGHT_PAUSE_MS.first
      : sinceStartMs < TIGHT_MS
        ? TIGHT_PAUSE_MS.later
        : intervalMs;
  // Neither later than needed nor, once it answers, more often than configured.
  return Math.max(1, Math.min(tight, intervalMs, minHealthyLeftMs));
};

/**
 * Probes until the container has been healthy for `minHealthyTimeMs` without a break, until the
 * deadline, until it is found stopped, or until `signal`. Never throws.
 */
export const waitUntilHealthy = async (
  { settings, target, deadline, signal }: WaitOptions,
  deps: ProbeDependencies,
): Promise<WaitResult> => {
  const begun = performance.now();
  const { minHealthyTimeMs } = settings;
  const limits = {
    minHealthyTimeMs,
    healthyDeadlineMs: deadline ? settings.healthyDeadlineMs : null,
  };
  let clock = startHealthClock(begun);
  let probes = 0;
  let stateAskedAt = begun;
  const result = (kind: WaitResult['result'], reason: string): WaitResult => ({
    result: kind,
    reason,
    probes,
    tookMs: Math.round(performance.now() - begun),
  });
  const askOnce = (sinceStartMs: number): Promise<ProbeResult> => {
    const probeLimits: ProbeLimits = { timeoutMs: settings.probeTimeoutMs, signal };
    if (sinceStartMs < TIGHT_MS) probeLimits.connectTimeoutMs = TIGHT_CONNECT_MS;
    probes++;
    return probe(settings.health, target, probeLimits, deps);
  };

  const aborted = (): boolean => signal?.aborted === true;
  while (!aborted()) {
    const answer = await askOnce(performance.now() - begun);
    if (aborted()) break;
    const now = performance.now();
    const told = tellHealthClock(clock, limits, answer, now);
    clock = told.clock;
    if (told.verdict.kind === 'healthy') return result('healthy', answer.reason);
    if (answer.health !== 'healthy' && now - stateAskedAt >= STATE_EVERY_MS) {
      stateAskedAt = now;
      const state = await deps.state(target.name).catch(() => 'changing');
      if (state === 'gone') return result('gone', 'the container is gone');
      if (state === 'stopped') return result('down', 'the container stopped after it was started');
    }
    if (told.verdict.kind === 'failed') return result('deadline', told.verdict.reason);
    const left =
      clock.healthySince === null ? Infinity : clock.healthySince + minHealthyTimeMs - now;
    const sinceStart = clock.healthySince === null ? now - begun : TIGHT_MS;
    await sleep(pauseMs(sinceStart, settings.probeIntervalMs, left), undefined, { signal }).catch(
      () => undefined,
    );
  }
  return result('aborted', 'broken off');
};
