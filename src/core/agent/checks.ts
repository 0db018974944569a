import { sameInstance } from '../observation.ts';
import { reached } from '../messages.ts';
import type { ControlRecord, PauseLevel } from '../messages.ts';
import { pauseHolds, resumeCommand } from '../pause-level.ts';
import type { Pausable } from '../pause-level.ts';
import type { Agent, CheckAnswers, CheckPurpose } from './agent.ts';
import type { AgentGrant } from './journal.ts';
import { recordCounts, serverTime } from './record.ts';

/** `wait`: it can pass by itself, so it is asked again until begin-before (R21). */
export type Decision =
  { kind: 'allow' } | { kind: 'wait'; reason: string } | { kind: 'deny'; reason: string };

const allow: Decision = { kind: 'allow' };
const deny = (reason: string): Decision => ({ kind: 'deny', reason });
const wait = (reason: string): Decision => ({ kind: 'wait', reason });

const subjectOf = (level: PauseLevel): string => {
  switch (level.level) {
    case 'fleet':
      return 'the fleet';
    case 'wave':
      return `wave ${level.waveId}`;
    case 'service':
      return `service ${level.service}`;
    case 'host':
      return 'this host';
    case 'queue':
      return 'the queue of this host';
  }
};

/** What the record holds by a freeze or a pause, with what lifts it; null: nothing (R31). */
export const heldBy = (
  { freezes, pauses }: ControlRecord,
  what: Omit<Pausable, 'hostId'>,
): string | null => {
  if (freezes.length > 0) return `freeze: ${freezes.join(', and ')}; groundswell unfreeze`;
  const pause = pauses.find((level) => pauseHolds(level, { ...what, hostId: null }));
  return pause === undefined ? null : `${subjectOf(pause)} is paused: ${resumeCommand(pause)}`;
};

/** Whether a request in the record takes this grant back (R20). */
export const voided = (agent: Agent, grantId: string): boolean =>
  agent.record?.value.voids.includes(grantId) ?? false;

/** Another grant that holds the same container, but for the failed one that this one retries (R26). */
export const hasElder = (agent: Agent, grant: AgentGrant): boolean =>
  [...agent.journal.grants.values()].some(
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

const permitted = (agent: Agent, grant: AgentGrant, mono: number): Decision => {
  const record = agent.record?.value;
  if (voided(agent, grant.order.grantId)) return deny('taken back by the server');
  if (serverTime(agent, mono) >= grant.order.beginBefore) return deny('expired before it began');
  const counts = recordCounts(agent, mono);
  if (counts.kind === 'deny') return wait(counts.reason);
  if (record === undefined) return wait('no control record was read yet');
  if (record.excluded) return deny('this host is excluded');
  const { waveId, order } = grant;
  // R26: a retry passes pauses, not a freeze.
  const pauses = order.expect.kind === 'retry' ? [] : record.pauses;
  const held = heldBy({ ...record, pauses }, { waveId, services: [order.service] });
  return held === null ? allow : deny(held);
};

const retryable = (agent: Agent, grant: AgentGrant, answers: CheckAnswers): Decision => {
  const { expect } = grant.order;
  if (expect.kind !== 'retry') return allow;
  if (answers.state === 'gone') return deny('the container is gone');
  if (grant.step !== 'journaled') return allow; // it has taken over already
  const old = agent.journal.grants.get(expect.grantId);
  if (old === undefined || old.end !== null || !old.failed || reached(old.step, 'healthy'))
    return deny('the grant it retries is not a failed one any more');
  return allow;
};

/** R25: what died is started where it is down still, and nobody has started and stopped it since. */
const stillDead = (agent: Agent, { order }: AgentGrant, { state }: CheckAnswers): Decision => {
  if (state === 'gone') return deny('the container is gone');
  if (state !== 'stopped') return deny('it was started since the grant was given');
  return agent.journal.containers.get(order.container)?.died === true
    ? allow
    : deny('it is stopped, and nothing tells that it died');
};

const sameContainer = (
  agent: Agent,
  grant: AgentGrant,
  answers: CheckAnswers,
  purpose: CheckPurpose,
): Decision => {
  const { order } = grant;
  if (order.expect.kind === 'retry') return retryable(agent, grant, answers);
  if (order.expect.kind === 'died') return stillDead(agent, grant, answers);
  if (answers.state === 'gone') return deny('the container is gone');
  if (answers.state === 'stopped') return deny('it is stopped, and not by Groundswell');
  if (!sameInstance(answers.instance, order.expect.instance))
    return deny('it was restarted since the grant was given');
  if (purpose === 'stop-again') return allow;
  if (!order.byHand && answers.stale === 'fresh') return deny('it runs the present code already');
  if (!order.byHand && answers.stale === 'unknown')
    return deny('whether it is stale cannot be read');
  if (order.onlyIfBroken && answers.health === 'healthy') return deny('it is not broken any more');
  return allow;
};

/**
 * R21: the check before `draining`, and again as the last thing before the stop command. `stop-again`
 * (after a crash in `stopping`) passes over expiry, pause and staleness (R24).
 */
export const decideBegin = (
  agent: Agent,
  grant: AgentGrant,
  answers: CheckAnswers,
  purpose: CheckPurpose,
  mono: number,
): Decision => {
  if (purpose !== 'stop-again') {
    const may = permitted(agent, grant, mono);
    if (may.kind !== 'allow') return may;
    if (answers.settingsHash !== grant.order.settingsHash)
      return deny('the settings of the service on this host are not those that the server means');
    if (answers.optOut !== null) return deny(`opted out: ${answers.optOut}`);
  } else {
    const counts = recordCounts(agent, mono);
    if (counts.kind === 'deny') return wait(counts.reason);
    const record = agent.record?.value;
    if (record?.excluded === true) return wait('this host is excluded');
    const held =
      record === undefined ? null : heldBy({ ...record, pauses: [] }, { waveId: '', services: [] });
    if (held !== null) return wait(held);
  }
  if (purpose === 'begin' && hasElder(agent, grant))
    return wait('another grant of the same container is not over');
  const container = sameContainer(agent, grant, answers, purpose);
  if (container.kind !== 'allow') return container;
  // R22: our own upgrade and the beginning of a stop exclude each other; others hold at their moment.
  // R29: and while an upgrade waits, no new draining begins.
  const holds = purpose === 'begin' ? ['waiting', 'running'] : ['running'];
  if ([...agent.journal.upgrades.values()].some(({ step }) => holds.includes(step)))
    return wait('an upgrade of this host comes first');
  if (agent.transactionOpen) return wait('a package transaction is not over yet');
  // R29: what broke with the packages is mended first, unless a person asks.
  const gate = agent.journal.gate?.failed ?? null;
  if (gate !== null && !grant.order.byHand && purpose !== 'stop-again')
    return wait(`the host gate does not pass: ${gate}`);
  if (!answers.atRest.ok)
    return wait(`the package database is not at rest: ${answers.atRest.reason}`);
  return allow;
};
