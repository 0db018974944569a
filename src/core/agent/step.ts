import type { Agent, AgentAudit, AgentEffect, AgentEvent, Turn } from './agent.ts';
import { gone } from './activity.ts';
import { onStrayStopsEnded } from './adopt.ts';
import { advance } from './advance.ts';
import { onHealth, onStartOver, onStopOver, onUndrained, onVerified } from './after-stop.ts';
import { onChecked, onDrained } from './before-stop.ts';
import { advanceGate, onGate, onGateBefore, outdateGate } from './gate.ts';
import { leadsAfter } from '../messages.ts';
import type { Leader } from '../messages.ts';
import { isAnotherContainer } from '../observation.ts';
import { settingsChanges, settingsDetails } from '../settings-record.ts';
import { forgetOldJobs, onJob, onVoids } from './jobs.ts';
import { needsSync } from './needs-sync.ts';
import { hearRecord, heardLeader, leaderOf, serverTime } from './record.ts';
import { audit, report } from './reports.ts';
import { beginAnew, isRolledBack } from './rolled-back.ts';
import { tellEndsAgain } from './tell-again.ts';
import { waitsOf } from './waits.ts';
import { advanceUpgrade, onTransaction, onUpgradeNotBegun, onUpgradeOver } from './upgrade.ts';

/** What a turn left behind: write the journal and the audits in one transaction, then do the effects in order. */
export interface AgentTurn {
  audits: AgentAudit[];
  effects: AgentEffect[];
  /** Whether that transaction is synced to disk before the effects begin. */
  sync: boolean;
}

/** R24: what was under way when the process died is looked at again from the step that was journaled. */
const onBooted = (turn: Turn): void => {
  const { agent } = turn;
  for (const grant of agent.journal.grants.values()) {
    if (grant.end !== null) continue;
    if (grant.step === 'draining' || grant.step === 'drained')
      grant.ending ??= {
        outcome: 'refused',
        reason: 'the agent was restarted before the stop began',
      };
    if (grant.step === 'stopping') {
      agent.busy.set(grant.order.grantId, 'stop');
      turn.effects.push({ kind: 'await-stray-stop', grant });
    }
  }
  turn.effects.push({ kind: 'send-reports' }, { kind: 'observe', container: null });
};

/**
 * A server that has just begun to lead goes by nothing that it was told before (R14): it is told at once. One whose
 * store was restored is told all that is known (R16).
 */
const greet = (turn: Turn, leader: Leader, before: Leader): void => {
  if (!leadsAfter(leader, before)) return;
  if (leader[0] === before[0]) {
    turn.effects.push({ kind: 'heartbeat' });
    return;
  }
  turn.effects.push({ kind: 'observe', container: null });
  // The first that a journal hears of has been told nothing, and has forgotten nothing.
  if (before[0] === 0) return;
  tellEndsAgain(turn);
  turn.effects.push({ kind: 'take-inventory', refresh: false });
};

const onRecord = (turn: Turn, event: Extract<AgentEvent, { kind: 'record' }>): void => {
  const { agent } = turn;
  const { record } = event;
  const before = heardLeader(agent);
  const rolledBack = isRolledBack(agent, record);
  agent.foundSeq = null;
  const isNewest = hearRecord(turn, record);
  if (rolledBack) return beginAnew(turn, event);
  if (!isNewest) return;
  const { journal } = agent;
  if (record.incarnation === journal.incarnation) {
    for (const seq of journal.reports.keys())
      if (seq <= record.ackedSeq) journal.reports.delete(seq);
    if (!journal.settled && !agent.strayBusy && !agent.strayStopsEnded) {
      agent.strayBusy = true;
      turn.effects.push({ kind: 'end-stray-stops' });
    }
  }
  greet(turn, leaderOf(record.number), before);
  if (journal.settled) onVoids(turn);
};

const onObserved = (turn: Turn, event: Extract<AgentEvent, { kind: 'observed' }>): void => {
  const { containers, grants } = turn.agent.journal;
  if (event.state === 'gone') {
    containers.delete(event.name);
    return;
  }
  const known = containers.get(event.name);
  // R18: destroyed and made anew between two looks; what was known and granted is of one that is gone.
  const isAnother = isAnotherContainer(known?.identity, event.identity);
  const before = isAnother ? undefined : known;
  if (isAnother)
    for (const grant of grants.values())
      if (grant.end === null && grant.order.container === event.name) gone(turn, grant);
  const ours = [...grants.values()].some(
    (grant) =>
      grant.end === null &&
      grant.order.container === event.name &&
      (['stopping', 'stopped', 'started'].includes(grant.step) || grant.tookOver !== null),
  );
  // Down, seen up before in this boot of the host, and not by us: its owner's doing, so it is not ours to
  // start, unless it died (R25). Before a lost journal's grants are named nobody can tell (R15).
  const byOthers =
    turn.agent.journal.settled &&
    event.state === 'stopped' &&
    !ours &&
    before !== undefined &&
    (before.ownerStopped || before.died || before.instance?.bootId === event.bootId);
  const died = byOthers && !before.ownerStopped && (before.died || event.left === true);
  if (died && !before.died) audit(turn, { action: 'container-died', container: event.name });
  containers.set(event.name, {
    instance:
      event.instance ?? (event.state === 'stopped' && ours ? (before?.instance ?? null) : null),
    identity: event.identity ?? before?.identity ?? null,
    ownerStopped: byOthers && !died,
    died,
    traces: event.traces ?? (event.instance === null ? (before?.traces ?? null) : null),
  });
};

/** R30: while a package transaction is open nothing is said about containers, so that its `host-upgraded` comes first. */
const onHostObserved = (
  turn: Turn,
  { observed, longTransaction = null }: Extract<AgentEvent, { kind: 'host-observed' }>,
): void => {
  const { agent } = turn;
  const open = agent.transactionOpen;
  const gateFailed = agent.journal.gate?.failed ?? null;
  report(turn, {
    kind: 'host-observed',
    leader: heardLeader(agent),
    settled: agent.journal.settled,
    transactions: agent.journal.transactions,
    ...observed,
    whole: observed.whole && !open,
    containers: open ? [] : observed.containers,
    waits: waitsOf(agent, longTransaction),
    openGrants: [...agent.journal.grants.values()]
      .filter(({ end }) => end === null)
      .map(({ order, waveId, step, failed }) => ({
        grantId: order.grantId,
        waveId,
        container: order.container,
        step,
        failed,
      })),
    openUpgrades: [...agent.journal.upgrades.values()]
      .filter(({ step }) => step !== 'ended')
      .map(({ jobId, order: { grantId, waveId, services } }) => ({
        ...{ grantId, waveId, jobId, services },
      })),
    gate: { ok: gateFailed === null, reason: gateFailed ?? '' },
  });
};

/** What was read while packages change is of no transaction; it is read anew once they are at rest. */
const onInventory = (turn: Turn, { read }: Extract<AgentEvent, { kind: 'inventory' }>): void => {
  const { agent } = turn;
  if (agent.transactionOpen || agent.upgradeBusy) return;
  report(turn, { kind: 'host-inventory', transaction: agent.journal.transactions, ...read });
};

/** Design §10. The first that are recorded are no change. */
const onSettings = (turn: Turn, { now }: Extract<AgentEvent, { kind: 'settings' }>): void => {
  const { settings } = turn.agent.journal;
  const before = settings.get('recorded');
  settings.set('recorded', now);
  const changes = before === undefined ? [] : settingsChanges(before, now);
  if (changes.length > 0)
    audit(turn, { action: 'settings-changed', details: settingsDetails(changes) });
};

const apply = (turn: Turn, event: AgentEvent): void => {
  switch (event.kind) {
    case 'booted':
      return onBooted(turn);
    case 'job':
      return onJob(turn, event);
    case 'record':
      return onRecord(turn, event);
    case 'tick':
      return;
    case 'checked':
      return onChecked(turn, event);
    case 'drained':
      return onDrained(turn, event);
    case 'child': {
      const grant = turn.agent.journal.grants.get(event.grantId);
      if (grant !== undefined && grant.end === null) grant.child = event.child;
      return;
    }
    case 'stop-over':
      return onStopOver(turn, event);
    case 'start-over':
      return onStartOver(turn, event);
    case 'health':
      return onHealth(turn, event);
    case 'undrained':
      return onUndrained(turn, event);
    case 'verified':
      return onVerified(turn, event);
    case 'stray-stops-ended':
      return onStrayStopsEnded(turn, event);
    case 'observed':
      return onObserved(turn, event);
    case 'host-observed':
      return onHostObserved(turn, event);
    case 'transaction':
      return onTransaction(turn, event);
    case 'gate-before':
      return onGateBefore(turn, event);
    case 'gate':
      return onGate(turn, event);
    case 'upgrade-not-begun':
      return onUpgradeNotBegun(turn, event);
    case 'upgrade-over':
      return onUpgradeOver(turn, event);
    case 'room':
      turn.agent.awaitRoom.delete(event.jobId);
      return;
    case 'inventory':
      return onInventory(turn, event);
    case 'settings':
      return onSettings(turn, event);
    case 'copies-wanted':
      for (const copy of event.copies) report(turn, { kind: 'audit-copied', ...copy });
      return;
  }
};

/** When a turn is made: the process's monotonic ms, and the wall clock for what people read. */
export interface AgentMoment {
  monoMs: number;
  wallMs: number;
}

/**
 * One turn of the agent. Changes `agent` in place and answers what must be made durable and then done.
 * Pure but for that: no clock, no randomness, no effects.
 */
export const agentStep = (
  agent: Agent,
  event: AgentEvent,
  { monoMs: mono, wallMs }: AgentMoment,
): AgentTurn => {
  const seqBefore = agent.journal.lastSeq;
  const turn: Turn = { agent, mono, wallMs, seqBefore, audits: [], effects: [] };
  // R14: steps, reports and audits of this turn bear the present server time, not that of the last question for it.
  serverTime(agent, mono);
  apply(turn, event);
  if (agent.journal.settled) {
    for (const grant of agent.journal.grants.values()) if (grant.end === null) advance(turn, grant);
    advanceUpgrade(turn);
    advanceGate(turn);
    if (event.kind === 'tick') forgetOldJobs(turn);
  }
  outdateGate(turn);
  const { audits, effects } = turn;
  return { audits, effects, sync: needsSync(event, { audits, effects }) };
};
