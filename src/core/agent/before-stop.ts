import { sameInstance } from '../observation.ts';
import type { AgentEvent, CheckPurpose, Turn } from './agent.ts';
import { begin, finish, gone, later, retryMs, stopped } from './activity.ts';
import { decideBegin, voided } from './checks.ts';
import type { AgentGrant } from './journal.ts';
import { auditGrant, endGrant, enter } from './reports.ts';

/** R26: the failed grant ends in the very write that begins its retry, which takes over its drain. */
const takeOver = (turn: Turn, grant: AgentGrant): void => {
  const { expect } = grant.order;
  if (expect.kind !== 'retry') return;
  const old = turn.agent.journal.grants.get(expect.grantId);
  if (old === undefined) return;
  if (old.drains) {
    grant.drains = true;
    grant.found = old.found;
  }
  grant.tookOver = old.step;
  endGrant(turn, old, 'retried', `retried as ${grant.order.grantId}`, null);
};

/** Check and begin are one turn, so nothing of ours comes between them (R22). */
export const onChecked = (turn: Turn, event: Extract<AgentEvent, { kind: 'checked' }>): void => {
  const grant = finish(turn, event.grantId, 'check');
  if (grant === null) return;
  const { answers } = event;
  const purpose: CheckPurpose =
    grant.step === 'journaled' ? 'begin' : grant.step === 'stopping' ? 'stop-again' : 'stop';
  if (purpose === 'stop-again') {
    if (answers.state === 'gone') return gone(turn, grant);
    if (answers.state === 'stopped') return stopped(turn, grant);
    if (
      answers.instance !== null &&
      grant.stopping !== null &&
      !sameInstance(answers.instance, grant.stopping)
    ) {
      // Stopped and started by somebody while we were away: forward from there, never stopped again (R24).
      enter(turn, grant, 'stopped');
      enter(turn, grant, 'started');
      return;
    }
  }
  const decision = decideBegin(turn.agent, grant, answers, purpose, turn.mono);
  if (decision.kind === 'wait') return later(turn, grant, decision.reason, retryMs);
  if (decision.kind === 'deny') {
    if (purpose === 'stop-again') return later(turn, grant, decision.reason, retryMs);
    grant.ending = voided(turn.agent, event.grantId)
      ? { outcome: 'void', reason: decision.reason }
      : { outcome: 'refused', reason: decision.reason };
    return;
  }
  if (purpose === 'begin') {
    // R28: what the drain finds is journaled before it, so that a crash in between loses nothing.
    grant.found = answers.found ?? null;
    grant.drains = answers.found !== undefined;
    takeOver(turn, grant);
    enter(turn, grant, 'draining');
    auditGrant(turn, grant, 'restart-begun', null, {
      byHand: grant.order.byHand,
      attempt: grant.order.attempt,
    });
    if (grant.drains) return;
    // Nothing to drain: this check is the last thing before the stop command as well (R21).
    enter(turn, grant, 'drained');
  }
  if (purpose !== 'stop-again') {
    grant.stopping = answers.instance;
    grant.tookOver = null;
    enter(turn, grant, 'stopping');
    // I4: the intent is durable before the stop command is started.
    auditGrant(turn, grant, 'stop-begun', null, { state: answers.state });
  }
  if (answers.state === 'stopped') return stopped(turn, grant);
  begin(turn, grant, { kind: 'stop', grant });
};

export const onDrained = (turn: Turn, event: Extract<AgentEvent, { kind: 'drained' }>): void => {
  const grant = finish(turn, event.grantId, 'drain');
  if (grant === null) return;
  grant.found ??= event.found;
  if (event.ok) enter(turn, grant, 'drained');
  else grant.ending = { outcome: 'refused', reason: `the drain failed: ${event.reason}` };
};
