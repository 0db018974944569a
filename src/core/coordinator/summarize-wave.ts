import type { PauseLevel } from '../messages.ts';
import { waitsForApproval } from './advisory-waves.ts';
import { grantName } from './container-answer.ts';
import type { WaveSummary } from './explain.ts';
import type { Fleet, Grant, Wave } from './fleet.ts';
import { mayGrant } from './may-grant.ts';
import type { Moment } from './may-grant.ts';
import { shownForm } from './shown-form.ts';
import { grantWaits } from './silence.ts';
import { describeCause, namesOf } from './wave-cause.ts';

const dateOf = (wallMs: number | null): string | null =>
  wallMs === null ? null : new Date(wallMs).toISOString();

/** What ends the pause of a wave: the one that its failures made, or a person's of the fleet or of the wave. */
const pauseRemedy = ({ id, pausedBy }: Wave, level: PauseLevel['level'] | null): string =>
  pausedBy !== null
    ? `mend it, then groundswell retry ${id} and groundswell resume --wave ${id}; resume alone goes on without it`
    : `groundswell resume${level === 'wave' ? ` --wave ${id}` : ''}`;

/** What the next upgrade of a wave waits for (R29); null: nothing, or there is none. */
const upgradeWaitsFor = ({ state, upgrades }: Wave): string | null => {
  if (state !== 'open') return null;
  const next = [...upgrades].find(([, upgrade]) => upgrade.state === 'pending');
  return next === undefined || next[1].reason === ''
    ? null
    : `upgrade of ${next[0]}: ${next[1].reason}`;
};

/** A wave as operators see it; its state says `waiting for approval`, `paused` or `pausing` where that is true. */
export const summarizeWave = (fleet: Fleet, wave: Wave, moment: Moment): WaveSummary => {
  const counts: Record<string, number> = {};
  for (const { state } of wave.members.values()) counts[state] = (counts[state] ?? 0) + 1;
  const grants = [...fleet.grants.values()].filter(({ waveId }) => waveId === wave.id);
  const inFlight = grants.filter(({ failed }) => !failed).length;
  const paused = [...fleet.pauses.values()].find(
    ({ level }) => level.level === 'fleet' || (level.level === 'wave' && level.waveId === wave.id),
  );
  const pause = wave.state === 'open' ? (wave.pausedBy ?? paused?.reason ?? null) : null;
  const waitsOf = (grant: Grant | undefined): string | null =>
    grant === undefined ? null : grantWaits(fleet, grant, moment.now);
  const waits = grants.find((grant) => !grant.failed && waitsOf(grant) !== null);
  const pending = [...wave.members].find(([, { state }]) => state === 'pending');
  const container = pending === undefined ? undefined : fleet.containers.get(pending[0]);
  const decision =
    container === undefined || wave.state !== 'open'
      ? null
      : mayGrant(fleet, wave, container, moment);
  const isAsked =
    waitsForApproval(wave) ||
    (wave.state === 'open' &&
      wave.approvedBy === null &&
      decision?.kind === 'deny' &&
      decision.reason.startsWith('waits for approval'));
  return {
    id: wave.id,
    cause: describeCause(wave.cause),
    asked:
      wave.cause.kind === 'advisories'
        ? { ...namesOf(wave.cause), form: shownForm(wave) ?? '' }
        : null,
    state:
      wave.state !== 'open'
        ? wave.state
        : pause !== null
          ? inFlight > 0
            ? `pausing (${inFlight} in flight)`
            : 'paused'
          : isAsked
            ? 'waiting for approval'
            : 'running',
    stage: wave.stage,
    approvedBy: wave.approvedBy,
    pausedBy: pause,
    remedy:
      pause !== null
        ? pauseRemedy(wave, paused?.level.level ?? null)
        : isAsked
          ? `groundswell approve ${wave.id}`
          : null,
    failures: wave.failures,
    maxFailures: wave.maxFailures,
    createdAt: dateOf(wave.wall.createdMs),
    startedAt: dateOf(wave.wall.startedMs),
    endedAt: dateOf(wave.wall.endedMs),
    counts,
    total: wave.members.size,
    members: [...wave.members].map(([id, { state, attempts, reason }]) => {
      const grant = grants.find(({ container: of }) => of === id);
      const { step = null } = grant ?? {};
      return { container: id, state, attempts, reason, step, waiting: waitsOf(grant) };
    }),
    upgrades: [...wave.upgrades].map(([host, { state, reason }]) => {
      const grant = grants.find((each) => each.kind === 'upgrade' && each.host === host);
      return { host, state, reason: waitsOf(grant) ?? reason };
    }),
    waitsFor:
      waits !== undefined
        ? `${grantName(waits)} waits: ${waitsOf(waits) ?? ''}`
        : decision?.kind === 'deny'
          ? decision.reason
          : upgradeWaitsFor(wave),
  };
};
