import type { ContainerView } from '../messages.ts';
import { reached } from '../messages.ts';
import { sameInstance } from '../observation.ts';
import type { Activity, AgentEffect, AgentEvent, CheckPurpose, Turn } from './agent.ts';
import { decideBegin, voided } from './checks.ts';
import type { AgentGrant } from './journal.ts';
import { serverTime } from './record.ts';
import { audit, auditGrant, endGrant, enter, report } from './reports.ts';

/** First and largest pause between two tries at starting a container, in ms (R25). */
const startBackoffMs = { first: 1_000, largest: 60_000 };
/** Pause before a check or an undrain that may pass by itself is tried again, in ms. */
const retryMs = 1_000;

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

const begin = (turn: Turn, grant: AgentGrant, effect: AgentEffect): void => {
  const activity = activityOf[effect.kind];
  if (activity !== undefined) turn.agent.busy.set(grant.order.grantId, activity);
  turn.effects.push(effect);
};

const check = (turn: Turn, grant: AgentGrant, purpose: CheckPurpose): void => {
  begin(turn, grant, { kind: 'check', grant, purpose });
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
  if (grant.ending !== null) {
    if (grant.step === 'journaled')
      endGrant(turn, grant, grant.ending.outcome, grant.ending.reason, null);
    else begin(turn, grant, { kind: 'undrain', grant });
    return;
  }
  if (grant.step === 'journaled') {
    if (hasElder(turn, grant))
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

/** Another grant that holds the same container, but for the failed one that this one retries (R26). */
const hasElder = (turn: Turn, grant: AgentGrant): boolean =>
  [...turn.agent.journal.grants.values()].some(
    (other) =>
      other !== grant &&
      other.end === null &&
      other.order.container === grant.order.container &&
      other.step !== 'journaled' &&
      !(
        grant.order.expect.kind === 'retry' &&
        other.order.grantId === grant.order.expect.grantId &&
        other.failed
      ),
  );

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
      if (parked) endGrant(turn, grant, 'gone', 'parked by an operator', null);
      else begin(turn, grant, { kind: 'start', grant });
      return;
    case 'started':
      begin(turn, grant, { kind: 'watch-health', grant, deadline: !grant.failed });
      return;
    case 'healthy':
      begin(turn, grant, { kind: 'undrain', grant });
      return;
    case 'undrained':
      begin(turn, grant, { kind: 'verify', grant });
      return;
    default:
      return;
  }
};

/** An answer counts only for what is under way: a late one of a former activity is dropped. */
const finish = (turn: Turn, grantId: string, activity: Activity): AgentGrant | null => {
  const grant = turn.agent.journal.grants.get(grantId);
  if (grant === undefined || grant.end !== null || turn.agent.busy.get(grantId) !== activity)
    return null;
  turn.agent.busy.delete(grantId);
  return grant;
};

const later = (turn: Turn, grant: AgentGrant, reason: string, ms: number): void => {
  turn.agent.waiting.set(grant.order.grantId, reason);
  turn.agent.notBefore.set(grant.order.grantId, turn.mono + ms);
};

/** R26: the failed grant ends in the very write that begins its retry, which takes over its drain. */
const takeOver = (turn: Turn, grant: AgentGrant): void => {
  const { expect } = grant.order;
  if (expect.kind !== 'retry') return;
  const old = turn.agent.journal.grants.get(expect.grantId);
  if (old === undefined) return;
  grant.found = old.found;
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
    if (answers.state === 'gone')
      return endGrant(turn, grant, 'gone', 'the container is gone', null);
    if (answers.state === 'stopped') return stopped(turn, grant);
    if (
      grant.order.expect.kind === 'instance' &&
      !sameInstance(answers.instance, grant.order.expect.instance) &&
      answers.instance !== null
    ) {
      // Stopped and started by somebody while we were away: forward from there, never stopped again (R24).
      enter(turn, grant, 'stopped');
      enter(turn, grant, 'started');
      return advance(turn, grant);
    }
  }
  const decision = decideBegin(turn.agent, grant, answers, purpose, turn.mono);
  if (decision.kind === 'wait') return later(turn, grant, decision.reason, retryMs);
  if (decision.kind === 'deny') {
    if (purpose === 'stop-again') return later(turn, grant, decision.reason, retryMs);
    grant.ending = voided(turn.agent, event.grantId)
      ? { outcome: 'void', reason: decision.reason }
      : { outcome: 'refused', reason: decision.reason };
    return advance(turn, grant);
  }
  if (purpose === 'begin') {
    // R28: what the drain finds is journaled before it, so that a crash in between loses nothing.
    grant.found = answers.found ?? null;
    takeOver(turn, grant);
    enter(turn, grant, 'draining');
    auditGrant(turn, grant, 'restart-begun', null, {
      byHand: grant.order.byHand,
      attempt: grant.order.attempt,
    });
    begin(turn, grant, { kind: 'drain', grant });
    return;
  }
  if (purpose === 'stop') {
    enter(turn, grant, 'stopping');
    // I4: the intent is durable before the stop command is started.
    auditGrant(turn, grant, 'stop-begun', null, { state: answers.state });
  }
  if (answers.state === 'stopped') return stopped(turn, grant);
  begin(turn, grant, { kind: 'stop', grant });
};

const stopped = (turn: Turn, grant: AgentGrant): void => {
  grant.child = null;
  enter(turn, grant, 'stopped');
  advance(turn, grant);
};

export const onDrained = (turn: Turn, event: Extract<AgentEvent, { kind: 'drained' }>): void => {
  const grant = finish(turn, event.grantId, 'drain');
  if (grant === null) return;
  grant.found ??= event.found;
  if (event.ok) enter(turn, grant, 'drained');
  else grant.ending = { outcome: 'refused', reason: `the drain failed: ${event.reason}` };
  advance(turn, grant);
};

export const onStopOver = (turn: Turn, event: Extract<AgentEvent, { kind: 'stop-over' }>): void => {
  const grant = finish(turn, event.grantId, 'stop');
  if (grant === null) return;
  grant.child = null;
  if (event.state === 'gone') endGrant(turn, grant, 'gone', 'the container is gone', null);
  else if (event.state === 'stopped') stopped(turn, grant);
  // Still there, or there again as another instance: the check tells them apart (R24).
  else check(turn, grant, 'stop-again');
};

export const onStartOver = (
  turn: Turn,
  event: Extract<AgentEvent, { kind: 'start-over' }>,
): void => {
  const grant = finish(turn, event.grantId, 'start');
  if (grant === null) return;
  const id = event.grantId;
  if (event.state === 'gone') return endGrant(turn, grant, 'gone', 'the container is gone', null);
  if (event.state === 'running') {
    enter(turn, grant, 'started');
    return advance(turn, grant);
  }
  const attempts = (turn.agent.attempts.get(id) ?? 0) + 1;
  turn.agent.attempts.set(id, attempts);
  const pauseMs = Math.min(
    startBackoffMs.first * 2 ** Math.min(attempts - 1, 10),
    startBackoffMs.largest,
  );
  const reason = `it does not start: ${event.reason}; tried ${attempts} time${attempts === 1 ? '' : 's'}`;
  if (!grant.failed) fail(turn, grant, reason, null);
  later(turn, grant, reason, pauseMs);
};

/** `failed` holds the unit and is told; the grant goes on being watched (R20). */
const fail = (
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
    steps: grant.steps,
    container,
  });
  turn.effects.push({ kind: 'observe' });
};

export const onHealth = (turn: Turn, event: Extract<AgentEvent, { kind: 'health' }>): void => {
  const grant = finish(turn, event.grantId, 'health');
  if (grant === null) return;
  switch (event.result) {
    case 'healthy':
      enter(turn, grant, 'healthy');
      break;
    case 'deadline':
      if (!grant.failed) fail(turn, grant, event.reason, null);
      break;
    case 'down':
      // R25: it was never healthy since our stop, so starting it is still ours.
      grant.step = 'stopped';
      later(turn, grant, event.reason, startBackoffMs.first);
      return;
    case 'gone':
      endGrant(turn, grant, 'gone', 'the container is gone', null);
      return;
  }
  advance(turn, grant);
};

export const onUndrained = (
  turn: Turn,
  event: Extract<AgentEvent, { kind: 'undrained' }>,
): void => {
  const grant = finish(turn, event.grantId, 'undrain');
  if (grant === null) return;
  if (!event.ok) {
    // L3: an undrain that fails is tried for ever, and alerted.
    turn.effects.push({
      kind: 'alert',
      message: `${grant.order.container}: cannot undo the drain: ${event.reason}`,
    });
    return later(turn, grant, `cannot undo the drain: ${event.reason}`, retryMs);
  }
  if (grant.ending !== null)
    return endGrant(turn, grant, grant.ending.outcome, grant.ending.reason, null);
  enter(turn, grant, 'undrained');
  advance(turn, grant);
};

export const onVerified = (turn: Turn, event: Extract<AgentEvent, { kind: 'verified' }>): void => {
  const grant = finish(turn, event.grantId, 'verify');
  if (grant === null) return;
  grant.verification = event.verification;
  endGrant(turn, grant, 'done', '', event.container);
};

/** Containers of the former incarnation whose grants are void now; those that we had stopped are started (R15). */
export const onStrayStopsEnded = (
  turn: Turn,
  event: Extract<AgentEvent, { kind: 'stray-stops-ended' }>,
): void => {
  const { agent } = turn;
  const record = agent.record?.value;
  if (record === undefined || !agent.strayBusy) return;
  agent.strayBusy = false;
  agent.strayStopsEnded = true;
  agent.journal.settled = true;
  for (const suspect of record.suspects) {
    const known =
      agent.journal.grants.has(suspect.grantId) || agent.journal.refused.has(suspect.grantId);
    if (known) continue;
    const state = event.states.get(suspect.container) ?? 'gone';
    const grant: AgentGrant = {
      order: {
        grantId: suspect.grantId,
        container: suspect.container,
        service: '',
        settingsHash: '',
        expect: { kind: 'retry', grantId: suspect.grantId },
        attempt: 1,
        beginBefore: 0,
        deadline: 0,
        byHand: true,
        onlyIfBroken: false,
      },
      waveId: '',
      jobId: '',
      step: suspect.step,
      steps: [],
      found: null,
      child: null,
      failed: false,
      adopted: true,
      ending: null,
      verification: null,
      end: null,
    };
    agent.journal.grants.set(suspect.grantId, grant);
    if (state === 'gone') endGrant(turn, grant, 'gone', 'the container is gone', null);
    else if (!reached(suspect.step, 'stopping')) {
      grant.ending = { outcome: 'void', reason: 'given to a former incarnation of the journal' };
      grant.step = 'drained';
      if (state === 'stopped')
        turn.effects.push({
          kind: 'alert',
          message: `${suspect.container} is down and its journal is lost: start it, or park it (groundswell container park)`,
        });
    } else {
      grant.step = state === 'stopped' ? 'stopped' : 'started';
    }
  }
  audit(turn, {
    action: 'incarnation-begun',
    details: {
      incarnation: agent.journal.incarnation,
      suspects: record.suspects.map(({ grantId }) => grantId),
    },
  });
};
