import type { HostId } from '../ids.ts';
import type { Expect, GrantOrder, Outcome } from '../messages.ts';
import type { Container, Grant, Wave, WaveMember } from './fleet.ts';
import { newGrant } from './new-grant.ts';
import { patchedPackages } from './patched-packages.ts';
import { audit, touch } from './turn.ts';
import type { Turn } from './turn.ts';

/** Hash of a host's settings for a service: its own, or those for services that it does not name. */
const settingsHash = (hashes: Record<string, string>, service: string): string =>
  hashes[service] ?? hashes['*'] ?? '';

export interface GrantPlan {
  wave: Wave;
  container: Container;
  expect: Expect;
  byHand: boolean;
  onlyIfBroken: boolean;
  why: string;
}

/** States of a member that its next restart is for. */
const waits: ReadonlySet<WaveMember['state']> = new Set(['pending', 'restarting', 'failed']);

/** What was patched, by the waves that this one restart is for (R34); null: not known. */
const patchedFor = ({ fleet }: Turn, { wave, container }: GrantPlan): string[] | null => {
  const causes = [...fleet.waves.values()].filter(
    (one) =>
      one === wave ||
      (one.state === 'open' && waits.has(one.members.get(container.id)?.state ?? 'verified')),
  );
  const names = new Set<string>();
  for (const cause of causes) {
    const patched = patchedPackages(cause);
    if (patched === null) return null;
    for (const name of patched) names.add(name);
  }
  return [...names].sort();
};

/** The advisories that something is done for, where it is for any. */
export const advisoriesOf = ({ cause }: Wave): { advisories?: string[] } =>
  cause.kind === 'advisories' ? { advisories: cause.advisories.map(({ id }) => id) } : {};

/** Something of it is given out: from its first grant or upgrade on it has begun. */
export const beginWave = (turn: Turn, wave: Wave): void => {
  wave.wall.startedMs ??= turn.wall.ms;
  touch(turn, { table: 'waves', key: wave.id });
};

/** R19: write the grants of one host, their audit records and the one job that carries them. */
export const giveGrants = (turn: Turn, hostId: HostId, plans: GrantPlan[]): void => {
  const { fleet, now, newId } = turn;
  const host = fleet.hosts.get(hostId);
  const first = plans[0];
  if (host === undefined || host.incarnation === null || first === undefined) return;
  const jobId = `${hostId}_${newId()}`;
  const orders: GrantOrder[] = [];
  for (const plan of plans) {
    const { wave, container, expect, byHand, onlyIfBroken, why } = plan;
    const member = wave.members.get(container.id) ?? {
      state: 'pending' as const,
      attempts: 0,
      reason: '',
    };
    member.attempts += 1;
    member.state = 'restarting';
    member.reason = why;
    wave.members.set(container.id, member);
    const grant = newGrant({
      id: newId(),
      jobId,
      waveId: wave.id,
      kind: 'restart',
      host: hostId,
      container: container.id,
      service: container.service,
      expect,
      attempt: member.attempts,
      byHand,
      onlyIfBroken,
      disruptive: false,
      grantedAt: now,
      beginBefore: now + fleet.settings.beginBeforeMs,
      deadline: now + fleet.settings.deadlineMs,
      transactions: host.transactions,
      why,
    });
    fleet.grants.set(grant.id, grant);
    orders.push({
      grantId: grant.id,
      container: container.view.name,
      service: container.service,
      settingsHash: settingsHash(host.settingsHashes, container.service),
      expect,
      attempt: grant.attempt,
      beginBefore: grant.beginBefore,
      deadline: grant.deadline,
      byHand,
      onlyIfBroken,
      patched: patchedFor(turn, plan),
    });
    touch(turn, { table: 'grants', key: grant.id });
    beginWave(turn, wave);
    audit(turn, {
      action: 'granted',
      subject: container.id,
      waveId: wave.id,
      grantId: grant.id,
      details: { why, attempt: grant.attempt, batch: jobId, byHand, ...advisoriesOf(wave) },
    });
  }
  // R12: granting is a change, so the record is renewed before the job is put in.
  turn.renew.add(hostId);
  turn.sends.push({
    host: hostId,
    jobId,
    incarnation: host.incarnation,
    expiresAt: now + fleet.settings.beginBeforeMs,
    kind: 'restart-batch',
    payload: { waveId: first.wave.id, grants: orders },
  });
};

/** Ask for a grant back (R20): a request that only the agent's answer fulfils. */
export const askVoid = (turn: Turn, grant: Grant, reason: string): void => {
  const host = turn.fleet.hosts.get(grant.host);
  if (grant.voidAsked !== null || grant.failed || host === undefined) return;
  if (
    grant.step !== null &&
    grant.step !== 'journaled' &&
    grant.step !== 'draining' &&
    grant.step !== 'drained'
  )
    return;
  grant.voidAsked = reason;
  host.voids.push(grant.id);
  turn.renew.add(host.id);
  touch(turn, { table: 'grants', key: grant.id });
  touch(turn, { table: 'hosts', key: host.id });
};

/** Close the outbox row once every grant of its job was answered for (R3). */
const closeJobOf = (turn: Turn, grant: Grant): void => {
  const others = [...turn.fleet.grants.values()].filter(
    (other) => other.jobId === grant.jobId && other.id !== grant.id,
  );
  if (others.every((other) => other.step !== null)) turn.closes.push(grant.jobId);
};

/** The first word of the agent about a grant. */
export const answered = (turn: Turn, grant: Grant): void => {
  closeJobOf(turn, grant);
};

/** The grant is over, by its agent's word (R20) or an operator's for a fenced host (R33): its unit is free. */
export const endGrant = (
  turn: Turn,
  grant: Grant,
  outcome: Outcome | 'excluded',
  reason: string,
): void => {
  const { fleet } = turn;
  fleet.grants.delete(grant.id);
  closeJobOf(turn, grant);
  const host = fleet.hosts.get(grant.host);
  if (host !== undefined) {
    const before = host.voids.length + host.suspects.length;
    host.voids = host.voids.filter((id) => id !== grant.id);
    host.suspects = host.suspects.filter(({ grantId }) => grantId !== grant.id);
    if (host.voids.length + host.suspects.length !== before) turn.renew.add(host.id);
    touch(turn, { table: 'hosts', key: host.id });
  }
  touch(turn, { table: 'grants', key: grant.id });
  audit(turn, {
    action: 'grant-ended',
    subject: grant.container ?? grant.host,
    waveId: grant.waveId,
    grantId: grant.id,
    outcome,
    details: { reason, attempt: grant.attempt },
  });
};
