import type { ContainerId } from '../ids.ts';
import { allowedUnavailable, serviceState, unavailableBecause } from './availability.ts';
import type { Container, Fleet, Wave } from './fleet.ts';
import { freezeInForce, mayGrant, modeFor } from './may-grant.ts';
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

const staleLines = ({ view }: Container): string[] =>
  view.stale.map(
    ({ pid, command, path, process }) =>
      `${process === 'monitor' ? 'its LXC monitor' : `process ${pid} (${command})`} maps ${path} from before the upgrade`,
  );

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
  if (open !== undefined) return `waiting: ${open.reason}`;
  if (!container.view.onHostRoot) return 'left alone: it does not stand on the host root';
  if (container.parked) return 'parked: out of the count until it runs';
  const first = staleLines(container)[0];
  if (container.view.shadowed.length > 0)
    return `shadowed: it has its own copy of ${container.view.shadowed[0]?.path ?? ''}, which a restart cannot mend; its owner must`;
  if (first !== undefined)
    return container.attemptedAt === null
      ? `stale: ${first}`
      : `stale after its restart: ${first}; groundswell retry ${container.id}`;
  const why = unavailableBecause(fleet, container, moment.now);
  return why === null ? 'runs the present code' : `unavailable: ${why}`;
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
    };
  });
};

export interface PlanEntry {
  waveId: string | null;
  container: ContainerId;
  service: string;
  order: number;
  why: string;
  /** What forbids it now and does not pass by itself; null: it comes when its turn comes. */
  impossible: string | null;
  /** What it would wait for, if it were asked for now. */
  now: string;
}

export interface Plan {
  entries: PlanEntry[];
  /** Estimate in ms: the larger of work over capacity per service and per host, and the longest restart. */
  estimateMs: number;
  notes: string[];
}

const impossibleBecause = (fleet: Fleet, container: Container, wave: Wave): string | null => {
  const { view } = container;
  if (view.optOut !== null) return `opted out: ${view.optOut.reason}`;
  if (!view.onHostRoot) return 'it does not stand on the host root';
  if (view.state === 'stopped' && !container.parked)
    return `it is stopped: start it, or groundswell container park ${view.name}`;
  if (container.attemptedAt !== null && view.shadowed.length > 0)
    return 'shadowed: its owner must mend it';
  const members = [...fleet.containers.values()].filter(
    (other) => other.service === container.service && !other.parked && other.view.onHostRoot,
  ).length;
  const budget = fleet.services.get(container.service)?.budget ?? { maxUnavailable: 1 };
  if (allowedUnavailable(budget, members) === 0 && !wave.outagesAllowed.includes(container.service))
    return `the budget of service ${container.service} is 0: groundswell allow-outage ${wave.id} ${container.service}`;
  return null;
};

/** Dry run: which containers, why, in which order, about how long, and what is impossible (`groundswell plan`). */
export const planRestarts = (
  fleet: Fleet,
  moment: Moment,
  meanRestartMs: (service: string) => number,
): Plan => {
  const entries: PlanEntry[] = [];
  const work = new Map<string, { ms: number; capacity: number }>();
  const add = (key: string, ms: number, capacity: number): void => {
    const sum = work.get(key) ?? { ms: 0, capacity };
    sum.ms += ms;
    work.set(key, sum);
  };
  let longest = 0;
  for (const wave of fleet.waves.values()) {
    if (wave.state !== 'open') continue;
    for (const [id, member] of wave.members) {
      const container = fleet.containers.get(id);
      if (container === undefined || member.state !== 'pending') continue;
      const decision = mayGrant(fleet, wave, container, moment);
      const impossible = impossibleBecause(fleet, container, wave);
      entries.push({
        waveId: wave.id,
        container: id,
        service: container.service,
        order: entries.length + 1,
        why: staleLines(container)[0] ?? (wave.byHand ? 'asked for by hand' : ''),
        impossible,
        now: decision.reason,
      });
      if (impossible !== null) continue;
      const ms = meanRestartMs(container.service);
      longest = Math.max(longest, ms);
      add(
        `service ${container.service}`,
        ms,
        serviceState(fleet, container.service, moment.now).limit,
      );
      add(
        `host ${container.host}`,
        ms,
        fleet.hosts.get(container.host)?.cap ?? fleet.settings.hostCap,
      );
    }
  }
  const notes: string[] = [];
  const freeze = freezeInForce(fleet, moment.wall.ms);
  if (freeze !== undefined) notes.push(`nothing starts while the freeze holds: ${freeze.reason}`);
  for (const { level, actor, reason } of fleet.pauses.values())
    notes.push(`paused (${level.level}) by ${actor}: ${reason}`);
  for (const summary of summarizeServices(fleet, moment.now))
    if (summary.stale > 0 && summary.limit === 0)
      notes.push(`service ${summary.name} has a budget of 0 with ${summary.members} members`);
  const bounds = [...work.values()].map(({ ms, capacity }) => ms / Math.max(1, capacity));
  return { entries, estimateMs: Math.max(longest, 0, ...bounds), notes };
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

/** A wave as operators see it; its state says `waiting for approval`, `paused` or `pausing` where that is true. */
export const summarizeWave = (fleet: Fleet, wave: Wave, moment: Moment): WaveSummary => {
  const counts: Record<string, number> = {};
  for (const { state } of wave.members.values()) counts[state] = (counts[state] ?? 0) + 1;
  const grants = [...fleet.grants.values()].filter(({ waveId }) => waveId === wave.id);
  const inFlight = grants.filter(({ failed }) => !failed).length;
  const pause =
    wave.pausedBy ??
    [...fleet.pauses.values()].find(
      ({ level }) =>
        level.level === 'fleet' || (level.level === 'wave' && level.waveId === wave.id),
    )?.reason ??
    null;
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
    waitsFor: decision?.kind === 'deny' ? decision.reason : null,
  };
};
