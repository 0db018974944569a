import type { ContainerId } from '../ids.ts';
import { describeOptOut } from '../opt-out.ts';
import { serviceState, unavailableBecause } from './availability.ts';
import type { Container, Fleet, Wave } from './fleet.ts';
import { mayGrant, modeFor, observedBecause } from './may-grant.ts';
import type { Moment } from './may-grant.ts';
import { describeCause } from './waves.ts';

/** One container, why it is or is not to be restarted, and what would end its waiting (L4). */
export interface Explanation {
  container: ContainerId;
  service: string;
  available: boolean;
  unavailableBecause: string | null;
  parked: boolean;
  stale: string[];
  shadowed: string[];
  unreadable: string[];
  optOut: { reason: string; until: number | null } | null;
  lastVerification: string | null;
  /** One sentence for each wave that it belongs to and that is not over, newest last. */
  waves: { waveId: string; cause: string; state: string; reason: string }[];
  grant: { id: string; step: string; why: string; failed: boolean; reason: string | null } | null;
  /** The one-line answer. */
  answer: string;
}

/** What runs old code in a container, one sentence each. */
export const staleLines = ({ view }: Container): string[] =>
  view.stale.map(
    ({ pid, command, path, process }) =>
      `${process === 'monitor' ? 'its LXC monitor' : `process ${pid} (${command})`} maps ${path} from before the upgrade`,
  );

const waiting = (reason: string): string =>
  reason.startsWith('waits for ') ? `waiting ${reason.slice(6)}` : `waiting: ${reason}`;

/** Of a container in which nothing stale was found. */
const codeOf = (fleet: Fleet, container: Container, { now }: Moment): string => {
  const why = unavailableBecause(fleet, container, now);
  if (why !== null) return `unavailable: ${why}`;
  const unread = container.view.unreadable[0];
  return unread === undefined
    ? 'runs the present code'
    : `unknown whether it runs the present code: ${unread.what}: ${unread.reason}`;
};

const answerFor = (
  fleet: Fleet,
  container: Container,
  waves: Explanation['waves'],
  moment: Moment,
): string => {
  const grant = [...fleet.grants.values()].find((open) => open.container === container.id);
  if (grant !== undefined)
    return grant.failed
      ? `its restart failed: ${grant.failReason ?? ''}; mend the cause, then: groundswell retry ${container.id}`
      : `is being restarted (${grant.step ?? 'granted'}): ${grant.why}`;
  const open = waves.find(({ state }) => state === 'pending');
  if (open !== undefined) return waiting(open.reason);
  if (!container.view.onHostRoot) return 'left alone: it does not stand on the host root';
  if (container.parked) {
    const note = container.view.parked;
    const said = note === null ? '' : ` (${note.reason}, by ${note.by})`;
    return `parked${said}: out of the count until it runs`;
  }
  const first = staleLines(container)[0];
  const { optOut } = container.view;
  if (optOut !== null)
    return first === undefined
      ? `${codeOf(fleet, container, moment)}; ${describeOptOut(optOut)}`
      : `${describeOptOut(optOut)}; stale: ${first}`;
  const copy = container.view.shadowed[0]?.path;
  if (container.lastVerification === 'shadowed' && copy !== undefined)
    return `shadowed: it has its own copy of ${copy}, which a restart cannot mend; its owner must`;
  if (first !== undefined && container.attemptedAt !== null)
    return `stale after its restart: ${first}; groundswell ${waves.some(({ state }) => state === 'stale') ? 'retry' : 'restart'} ${container.id}`;
  const onlyObserved = observedBecause(fleet, container);
  if (first !== undefined)
    return onlyObserved === null ? `stale: ${first}` : `${onlyObserved}; stale: ${first}`;
  const own =
    copy === undefined ? '' : `; its own copy of ${copy} stays what it is: its owner must mend it`;
  return codeOf(fleet, container, moment) + own;
};

/** Why a container is where it is: `groundswell why`. */
export const explainContainer = (
  fleet: Fleet,
  id: ContainerId,
  moment: Moment,
): Explanation | null => {
  const container = fleet.containers.get(id);
  if (container === undefined) return null;
  const waves = [...fleet.waves.values()]
    .filter(({ state, members }) => (state === 'open' || state === 'stopping') && members.has(id))
    .map((wave) => {
      const member = wave.members.get(id);
      const decision =
        member?.state === 'pending' ? mayGrant(fleet, wave, container, moment) : null;
      return {
        waveId: wave.id,
        cause: describeCause(wave.cause),
        state: member?.state ?? '',
        reason: decision === null ? (member?.reason ?? '') : decision.reason,
      };
    });
  const grant = [...fleet.grants.values()].find((open) => open.container === id);
  const why = unavailableBecause(fleet, container, moment.now);
  return {
    container: id,
    service: container.service,
    available: why === null && grant === undefined,
    unavailableBecause: why,
    parked: container.parked,
    stale: staleLines(container),
    shadowed: container.view.shadowed.map(({ path, ownVersion }) =>
      ownVersion === null ? path : `${path} (own version ${ownVersion})`,
    ),
    unreadable: container.view.unreadable.map(({ what, reason }) => `${what}: ${reason}`),
    optOut: container.view.optOut,
    lastVerification: container.lastVerification,
    waves,
    grant:
      grant === undefined
        ? null
        : {
            id: grant.id,
            step: grant.step ?? 'granted',
            why: grant.why,
            failed: grant.failed,
            reason: grant.failReason,
          },
    answer: answerFor(fleet, container, waves, moment),
  };
};

export interface ServiceSummary {
  name: string;
  members: number;
  available: number;
  /** How many must stay available: members that count, less the budget. */
  floor: number;
  limit: number;
  unavailable: { container: string; why: string }[];
  stale: number;
  shadowed: number;
  mode: string;
  /** Members that are not to be restarted, or not before a date, whether they run old code or not. */
  optedOut: { container: string; reason: string; until: number | null }[];
}

/** Availability of each service against its floor. */
export const summarizeServices = (fleet: Fleet, now: number): ServiceSummary[] => {
  const names = new Set([
    ...fleet.services.keys(),
    ...[...fleet.containers.values()]
      .filter(({ view }) => view.onHostRoot)
      .map(({ service }) => service),
  ]);
  return [...names].sort().map((name) => {
    const state = serviceState(fleet, name, now);
    const members = state.members.flatMap((id) => fleet.containers.get(id) ?? []);
    return {
      name,
      members: state.members.length,
      available: state.counted - state.unavailable.size,
      floor: state.counted - state.limit,
      limit: state.limit,
      unavailable: [...state.unavailable].map(([container, why]) => ({ container, why })),
      stale: members.filter(({ view }) => view.stale.length > 0).length,
      shadowed: members.filter(({ view }) => view.shadowed.length > 0).length,
      mode:
        members[0] === undefined
          ? (fleet.services.get(name)?.mode ?? 'approve')
          : modeFor(fleet, members[0]),
      optedOut: members.flatMap(({ id, view: { optOut } }) =>
        optOut === null ? [] : [{ container: id, ...optOut }],
      ),
    };
  });
};

export interface WaveSummary {
  id: string;
  cause: string;
  state: string;
  stage: string;
  approvedBy: string | null;
  pausedBy: string | null;
  failures: number;
  maxFailures: number;
  createdAt: number;
  endedAt: number | null;
  counts: Record<string, number>;
  total: number;
  members: {
    container: string;
    state: string;
    attempts: number;
    reason: string;
    step: string | null;
  }[];
  upgrades: { host: string; state: string; reason: string }[];
  waitsFor: string | null;
}

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
  const pause =
    wave.state !== 'open'
      ? null
      : (wave.pausedBy ??
        [...fleet.pauses.values()].find(
          ({ level }) =>
            level.level === 'fleet' || (level.level === 'wave' && level.waveId === wave.id),
        )?.reason ??
        null);
  const pending = [...wave.members].find(([, { state }]) => state === 'pending');
  const container = pending === undefined ? undefined : fleet.containers.get(pending[0]);
  const decision =
    container === undefined || wave.state !== 'open'
      ? null
      : mayGrant(fleet, wave, container, moment);
  const waitsForApproval =
    wave.state === 'open' &&
    wave.approvedBy === null &&
    decision?.kind === 'deny' &&
    decision.reason.startsWith('waits for approval');
  return {
    id: wave.id,
    cause: describeCause(wave.cause),
    state:
      wave.state !== 'open'
        ? wave.state
        : pause !== null
          ? inFlight > 0
            ? `pausing (${inFlight} in flight)`
            : 'paused'
          : waitsForApproval
            ? 'waiting for approval'
            : 'running',
    stage: wave.stage,
    approvedBy: wave.approvedBy,
    pausedBy: pause,
    failures: wave.failures,
    maxFailures: wave.maxFailures,
    createdAt: wave.createdAt,
    endedAt: wave.endedAt,
    counts,
    total: wave.members.size,
    members: [...wave.members].map(([id, { state, attempts, reason }]) => ({
      container: id,
      state,
      attempts,
      reason,
      step: grants.find((grant) => grant.container === id)?.step ?? null,
    })),
    upgrades: [...wave.upgrades].map(([host, { state, reason }]) => ({ host, state, reason })),
    waitsFor: decision?.kind === 'deny' ? decision.reason : upgradeWaitsFor(wave),
  };
};
