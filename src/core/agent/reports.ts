import type { ContainerView, Outcome, Report, Step } from '../messages.ts';
import type { AgentAudit, Turn } from './agent.ts';
import type { AgentGrant } from './journal.ts';

/** Journal a report under the next sequence number (R8); it is sent until it is acknowledged. */
export const report = (turn: Turn, content: Report): void => {
  const { journal } = turn.agent;
  journal.lastSeq += 1;
  journal.reports.set(journal.lastSeq, content);
  if (!turn.effects.some((effect) => effect.kind === 'send-reports'))
    turn.effects.push({ kind: 'send-reports' });
};

export const audit = (
  turn: Turn,
  entry: Omit<Partial<AgentAudit>, 'action'> & Pick<AgentAudit, 'action'>,
): void => {
  turn.audits.push({
    container: null,
    service: null,
    waveId: null,
    grantId: null,
    outcome: null,
    details: {},
    ...entry,
  });
};

export const auditGrant = (
  turn: Turn,
  grant: AgentGrant,
  action: AgentAudit['action'],
  outcome: string | null,
  details: AgentAudit['details'],
): void => {
  audit(turn, {
    action,
    container: grant.order.container,
    service: grant.order.service,
    waveId: grant.waveId,
    grantId: grant.order.grantId,
    outcome,
    details,
  });
};

/**
 * Move a grant to a step: journaled and told to the server, written before anything follows (R23). Of several
 * steps in one turn the last is told: each message costs both sides more than a step that does nothing.
 */
export const enter = (turn: Turn, grant: AgentGrant, step: Step): void => {
  const { journal, serverTimeFloor: at } = turn.agent;
  const { grantId } = grant.order;
  grant.step = step;
  grant.steps.push({ step, at, wallMs: turn.wallMs });
  turn.agent.waiting.delete(grantId);
  const last = journal.lastSeq > turn.seqBefore ? journal.reports.get(journal.lastSeq) : undefined;
  if (last?.kind === 'restart-progress' && last.grantId === grantId)
    journal.reports.set(journal.lastSeq, { ...last, step, at });
  else report(turn, { kind: 'restart-progress', grantId, step, at });
};

/** End a grant: only this, reported, frees its unit (R20). */
export const endGrant = (
  turn: Turn,
  grant: AgentGrant,
  outcome: Outcome,
  reason: string,
  container: ContainerView | null,
): void => {
  const id = grant.order.grantId;
  const stopped = grant.steps.some(({ step }) => step === 'stopping');
  if (outcome === 'done') grant.step = 'done';
  grant.end = { outcome, reason };
  grant.ending = null;
  for (const map of [
    turn.agent.busy,
    turn.agent.waiting,
    turn.agent.attempts,
    turn.agent.seenOld,
    turn.agent.notBefore,
  ])
    map.delete(id);
  if (outcome === 'done')
    grant.steps.push({ step: 'done', at: turn.agent.serverTimeFloor, wallMs: turn.wallMs });
  auditGrant(
    turn,
    grant,
    outcome === 'refused' || (outcome === 'void' && !stopped) ? 'restart-refused' : 'restart-ended',
    outcome,
    {
      reason,
      verification: grant.verification,
      attempt: grant.order.attempt,
      steps: grant.steps.map(({ step, at, wallMs }) => ({
        step,
        at: wallMs === null ? null : new Date(wallMs).toISOString(),
        serverMs: at,
      })),
    },
  );
  report(turn, {
    kind: 'restart-finished',
    grantId: id,
    outcome,
    verification: grant.verification,
    reason,
    steps: [...grant.steps],
    container,
  });
  // One that ended well told its state with its end: whole hosts are not looked at after each restart.
  if (outcome !== 'done' || container === null)
    turn.effects.push({ kind: 'observe', container: grant.order.container });
};
