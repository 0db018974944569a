import type { Step } from '../messages.ts';
import { reached } from '../messages.ts';
import type { Turn } from './agent.ts';
import { begin, check, fail } from './activity.ts';
import { hasElder, voided } from './checks.ts';
import type { AgentGrant } from './journal.ts';
import { serverTime } from './record.ts';
import { endGrant, enter } from './reports.ts';

/**
 * R26: the failed grant has ended already, and its container is still not healthy: a retry that is undone
 * before its stop cannot be refused, but stands where the failed one stood, drained, held and counted.
 */
const goOnAsFailed = (turn: Turn, grant: AgentGrant, step: Step, reason: string): void => {
  grant.step = step;
  grant.tookOver = null;
  grant.ending = null;
  fail(turn, grant, `the retry was undone: ${reason}`, null);
  advance(turn, grant);
};

/** End a grant that is undone, once whatever its drain did is undone (L3). */
const putBack = (
  turn: Turn,
  grant: AgentGrant,
  ending: NonNullable<AgentGrant['ending']>,
): void => {
  if (grant.step !== 'journaled' && grant.drains) begin(turn, grant, { kind: 'undrain', grant });
  else endGrant(turn, grant, ending.outcome, ending.reason, null);
};

/** What a grant that is being undone, or waits for its first step, does next. */
const advanceBeforeStop = (turn: Turn, grant: AgentGrant): void => {
  const { agent, mono } = turn;
  const id = grant.order.grantId;
  if (grant.ending === null && voided(agent, id))
    grant.ending = { outcome: 'void', reason: 'taken back by the server' };
  if (grant.ending === null && serverTime(agent, mono) >= grant.order.beginBefore)
    grant.ending = {
      outcome: 'refused',
      reason: agent.waiting.get(id) ?? 'expired before it began',
    };
  if (grant.ending !== null && grant.tookOver !== null) {
    goOnAsFailed(turn, grant, grant.tookOver, grant.ending.reason);
    return;
  }
  if (grant.ending !== null) {
    putBack(turn, grant, grant.ending);
    return;
  }
  if (grant.step === 'journaled') {
    if (hasElder(agent, grant))
      agent.waiting.set(id, 'another grant of the same container is not over');
    // R29: while an upgrade waits, no new draining begins.
    else if (
      agent.journal.upgrades.size > 0 &&
      [...agent.journal.upgrades.values()].some(({ step }) => step !== 'ended')
    )
      agent.waiting.set(id, 'an upgrade of this host comes first');
    else check(turn, grant, 'begin');
  } else if (grant.step === 'draining') begin(turn, grant, { kind: 'drain', grant });
  else check(turn, grant, 'stop');
};

const verify = (turn: Turn, grant: AgentGrant): void => {
  const { transactions } = turn.agent.journal;
  begin(turn, grant, { kind: 'verify', grant, transactions });
};

/** Do what the grant's step calls for, unless something is under way for it. */
export const advance = (turn: Turn, grant: AgentGrant): void => {
  const { agent, mono } = turn;
  const id = grant.order.grantId;
  if (grant.end !== null || agent.busy.has(id) || (agent.notBefore.get(id) ?? 0) > mono) return;
  if (!reached(grant.step, 'stopping')) {
    advanceBeforeStop(turn, grant);
    return;
  }
  const parked = agent.record?.value.parked.includes(grant.order.container) ?? false;
  switch (grant.step) {
    case 'stopping':
      check(turn, grant, 'stop-again');
      return;
    case 'stopped':
      // R25: started again for ever, until healthy once, removed or parked by an operator.
      if (parked) grant.ending ??= { outcome: 'gone', reason: 'parked by an operator' };
      // L3: whoever starts it again finds it undrained.
      if (grant.ending !== null) putBack(turn, grant, grant.ending);
      else begin(turn, grant, { kind: 'start', grant });
      return;
    case 'started':
      begin(turn, grant, { kind: 'watch-health', grant, deadline: !grant.failed });
      return;
    case 'healthy':
      if (grant.drains) begin(turn, grant, { kind: 'undrain', grant });
      else {
        enter(turn, grant, 'undrained');
        verify(turn, grant);
      }
      return;
    case 'undrained':
      verify(turn, grant);
      return;
    default:
      return;
  }
};
