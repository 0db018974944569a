import { reached } from '../messages.ts';
import type { ContainerView } from '../messages.ts';
import type { Activity, AgentEffect, CheckPurpose, Turn } from './agent.ts';
import type { AgentGrant } from './journal.ts';
import { auditGrant, endGrant, enter, report } from './reports.ts';

/** Pause before a check or an undrain that may pass by itself is tried again, in ms. */
export const retryMs = 1_000;

const activityOf: Partial<Record<AgentEffect['kind'], Activity>> = {
  check: 'check',
  drain: 'drain',
  stop: 'stop',
  'await-stray-stop': 'stop',
  start: 'start',
  'watch-health': 'health',
  undrain: 'undrain',
  verify: 'verify',
};

/** Begin one thing for a grant; until its answer comes nothing else is begun for it. */
export const begin = (turn: Turn, grant: AgentGrant, effect: AgentEffect): void => {
  const activity = activityOf[effect.kind];
  if (activity !== undefined) turn.agent.busy.set(grant.order.grantId, activity);
  turn.effects.push(effect);
};

export const check = (turn: Turn, grant: AgentGrant, purpose: CheckPurpose): void => {
  begin(turn, grant, { kind: 'check', grant, purpose });
};

/** An answer counts only for what is under way: a late one of a former activity is dropped. */
export const finish = (turn: Turn, grantId: string, activity: Activity): AgentGrant | null => {
  const grant = turn.agent.journal.grants.get(grantId);
  if (grant === undefined || grant.end !== null || turn.agent.busy.get(grantId) !== activity)
    return null;
  turn.agent.busy.delete(grantId);
  return grant;
};

/** Leave a grant alone for a while, and say why. */
export const later = (turn: Turn, grant: AgentGrant, reason: string, ms: number): void => {
  turn.agent.waiting.set(grant.order.grantId, reason);
  turn.agent.notBefore.set(grant.order.grantId, turn.mono + ms);
};

export const stopped = (turn: Turn, grant: AgentGrant): void => {
  grant.child = null;
  enter(turn, grant, 'stopped');
};

/** `failed` holds the unit and is told; the grant goes on being started and watched (R20, R25). */
export const fail = (
  turn: Turn,
  grant: AgentGrant,
  reason: string,
  container: ContainerView | null,
): void => {
  grant.failed = true;
  auditGrant(turn, grant, 'restart-failed', 'failed', { reason, attempt: grant.order.attempt });
  report(turn, {
    kind: 'restart-finished',
    grantId: grant.order.grantId,
    outcome: 'failed',
    verification: null,
    reason,
    steps: [...grant.steps],
    container,
  });
  turn.effects.push({ kind: 'observe', container: grant.order.container });
};

/** The container was removed. What its drain left in a load balancer cannot be undone for it (L3). */
export const gone = (turn: Turn, grant: AgentGrant): void => {
  const drained = reached(grant.step, 'draining') && !reached(grant.step, 'undrained');
  if (grant.drains && drained)
    turn.effects.push({
      kind: 'alert',
      message: `${grant.order.container} was removed while it was drained: its load balancer may keep the name in maintenance`,
    });
  endGrant(turn, grant, 'gone', 'the container is gone', null);
};
