import type { ContainerId, HostId } from '../ids.ts';
import { describeOptOut } from '../opt-out.ts';
import { waitsForApproval } from './advisory-waves.ts';
import { allowedUnavailable, serviceState } from './availability.ts';
import { grantName, staleLines } from './container-answer.ts';
import { summarizeServices } from './summarize-services.ts';
import type { Container, Fleet, Wave } from './fleet.ts';
import {
  freezesInForce,
  mayGrant,
  noBudgetText,
  notOnHostRoot,
  observedBecause,
} from './may-grant.ts';
import type { Moment } from './may-grant.ts';
import { pauseSubject } from './pause-subject.ts';
import { grantWaits } from './silence.ts';
import { decisionText } from './standing-decision.ts';
import { describeCause } from './wave-cause.ts';

export interface PlanEntry {
  waveId: string | null;
  container: ContainerId;
  service: string;
  order: number;
  why: string;
  /** What runs old code in it, without what differs from container to container; null: nothing was found. */
  runs: { command: string; path: string } | null;
  /** What forbids it now and does not pass by itself; null: it comes when its turn comes. */
  impossible: string | null;
  /** What it would wait for, if it were asked for now. */
  now: string;
}

/** An upgrade that a wave is to bring to a host, and that has not begun. */
export interface PlannedUpgrade {
  waveId: string;
  host: HostId;
  cause: string;
  /** What it waits for. */
  now: string;
}

export interface Plan {
  /** Before the restarts, which follow from what they change. */
  upgrades: PlannedUpgrade[];
  entries: PlanEntry[];
  /** Estimate in ms: the larger of work over capacity per service and per host, and the longest restart. */
  estimateMs: number;
  notes: string[];
}

const runsOf = ({ view }: Container): PlanEntry['runs'] => {
  const [first] = view.stale;
  if (first === undefined) return null;
  const { process, command, path } = first;
  return { command: process === 'monitor' ? 'its LXC monitor' : command, path };
};

const impossibleBecause = (fleet: Fleet, container: Container, wave: Wave): string | null => {
  const { view } = container;
  if (view.optOut !== null) return describeOptOut(view.optOut);
  if (!view.onHostRoot) return notOnHostRoot(container);
  if (container.membershipProblem !== null) return container.membershipProblem;
  if (view.state === 'stopped' && !view.died && !container.parked)
    return `it is stopped: start it, or groundswell container park ${view.name}`;
  if (container.attemptedAt !== null && container.lastVerification === 'shadowed')
    return 'shadowed: its owner must mend it';
  const members = [...fleet.containers.values()].filter(
    (other) => other.service === container.service && !other.parked && other.view.onHostRoot,
  ).length;
  const budget = fleet.services.get(container.service)?.budget ?? { maxUnavailable: 1 };
  if (allowedUnavailable(budget, members) === 0 && !wave.outagesAllowed.includes(container.service))
    return noBudgetText(wave, container.service);
  return null;
};

const upgradeWaits = (wave: Wave, reason: string): string => {
  if (wave.pausedBy !== null) return `the wave is paused: ${wave.pausedBy}`;
  if (waitsForApproval(wave)) return `waits for approval: groundswell approve ${wave.id}`;
  return reason === '' ? 'begins when its turn comes' : reason;
};

const upgradesOf = (fleet: Fleet): PlannedUpgrade[] =>
  [...fleet.waves.values()].flatMap((wave) =>
    wave.state !== 'open'
      ? []
      : [...wave.upgrades].flatMap(([host, { state, reason }]) =>
          state !== 'pending'
            ? []
            : [
                {
                  ...{ waveId: wave.id, host, cause: describeCause(wave.cause) },
                  now: upgradeWaits(wave, reason),
                },
              ],
        ),
  );

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
        runs: runsOf(container),
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
  // In no wave, because they were left out of it; people look for them here all the same.
  for (const container of fleet.containers.values()) {
    const { optOut, onHostRoot } = container.view;
    const why = staleLines(container)[0];
    const left =
      optOut === null
        ? (observedBecause(fleet, container) ?? decisionText(fleet, container))
        : describeOptOut(optOut);
    if (left === null || why === undefined || !onHostRoot) continue;
    if (entries.some((entry) => entry.container === container.id)) continue;
    if ([...fleet.grants.values()].some((grant) => grant.container === container.id)) continue;
    entries.push({
      ...{ waveId: null, container: container.id, service: container.service, why },
      ...{ order: entries.length + 1, runs: runsOf(container) },
      ...{ impossible: left, now: left },
    });
  }
  const notes: string[] = [];
  for (const freeze of freezesInForce(fleet, moment.wall.ms))
    notes.push(
      `nothing starts while the freeze holds: ${freeze.reason}; groundswell unfreeze ${freeze.id}`,
    );
  for (const { level, actor, reason } of fleet.pauses.values())
    notes.push(`paused (${pauseSubject(level)}) by ${actor}: ${reason}`);
  for (const grant of fleet.grants.values()) {
    const waits = grantWaits(fleet, grant, moment.now);
    if (!grant.failed && waits !== null)
      notes.push(
        `${grantName(grant)} may ${grant.kind === 'upgrade' ? 'begin' : 'be restarted'}, and waits: ${waits}`,
      );
  }
  for (const summary of summarizeServices(fleet, moment.now)) {
    if (summary.stale > 0 && summary.limit === 0)
      notes.push(`service ${summary.name} has a budget of 0 with ${summary.members} members`);
    for (const { container, code, what } of summary.ownFiles)
      if (code === 'shadowed') notes.push(`${container} is shadowed: ${what}`);
  }
  const bounds = [...work.values()].map(({ ms, capacity }) => ms / Math.max(1, capacity));
  return {
    upgrades: upgradesOf(fleet),
    entries,
    estimateMs: Math.max(longest, 0, ...bounds),
    notes,
  };
};
