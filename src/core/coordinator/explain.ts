import type { ContainerId } from '../ids.ts';
import { membershipOf } from '../membership.ts';
import { ownFileLine } from '../own-files.ts';
import { unavailableBecause } from './availability.ts';
import { answerFor, codeOf, lastVerification, staleLines } from './container-answer.ts';
import type { ContainerCode, Standing } from './container-answer.ts';
import type { Container, Fleet } from './fleet.ts';
import { mayGrant } from './may-grant.ts';
import type { Moment } from './may-grant.ts';
import { grantWaits } from './silence.ts';
import { describeCause } from './wave-cause.ts';

/** One container, why it is or is not to be restarted, and what would end its waiting (L4). */
export interface Explanation {
  container: ContainerId;
  service: string;
  /** The services that claim it, where more than one does (R18); else none. */
  claimants: string[];
  available: boolean;
  unavailableBecause: string | null;
  parked: boolean;
  code: ContainerCode;
  stale: string[];
  shadowed: string[];
  unreadable: string[];
  optOut: { reason: string; until: number | null } | null;
  lastVerification: string | null;
  /** One sentence for each wave that it belongs to and that is not over, newest last. */
  waves: Standing[];
  grant: {
    id: string;
    step: string;
    why: string;
    failed: boolean;
    reason: string | null;
    /** What its agent waits for before it goes on (L4); null: nothing that it has told. */
    waiting: string | null;
  } | null;
  /** The one-line answer. */
  answer: string;
}

const claimantsOf = (fleet: Fleet, { host, view }: Container): string[] => {
  const { name, groups } = view;
  const membership = membershipOf([...fleet.services.values()], { hostId: host, name, groups });
  return membership.kind === 'conflict' ? membership.services : [];
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
    claimants: claimantsOf(fleet, container),
    available: why === null && grant === undefined,
    unavailableBecause: why,
    parked: container.parked,
    code: codeOf(container),
    stale: staleLines(container),
    shadowed: container.view.shadowed.map(ownFileLine),
    unreadable: container.view.unreadable.map(({ what, reason }) => `${what}: ${reason}`),
    optOut: container.view.optOut,
    lastVerification: lastVerification(container),
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
            waiting: grantWaits(fleet, grant, moment.now),
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
  /** Members that keep a copy of their own of a file of the host's packages, newer versions apart. */
  shadowed: number;
  /** What members have of their own in place of the host's files; an owner's newer version is `own version`. */
  ownFiles: { container: string; code: ContainerCode; what: string; files: string[] }[];
  mode: string;
  /** Members that several services claim (R18): they are restarted by none until that is mended. */
  conflicts: { container: string; reason: string }[];
  /** Members that are not to be restarted, or not before a date, whether they run old code or not. */
  optedOut: { container: string; reason: string; until: number | null }[];
}

export interface WaveSummary {
  id: string;
  cause: string;
  /** All that advisories ask it for, of which the cause names the first few; null: they ask for nothing. */
  asked: { advisories: string[]; packages: string[]; form: string } | null;
  state: string;
  stage: string;
  approvedBy: string | null;
  pausedBy: string | null;
  /** What an operator can do about the pause, or the waiting for approval. */
  remedy: string | null;
  failures: number;
  maxFailures: number;
  /** By the wall clock, in ISO 8601; null: not yet, or not known. */
  createdAt: string | null;
  /** When its first grant or upgrade was given. */
  startedAt: string | null;
  endedAt: string | null;
  counts: Record<string, number>;
  total: number;
  members: {
    container: string;
    state: string;
    attempts: number;
    reason: string;
    step: string | null;
    /** What its agent waits for before it goes on (L4). */
    waiting: string | null;
  }[];
  upgrades: { host: string; state: string; reason: string }[];
  waitsFor: string | null;
}
