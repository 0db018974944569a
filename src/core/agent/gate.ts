import type { GateAnswer } from '../messages.ts';
import type { Agent, AgentEvent, Turn } from './agent.ts';
import type { GateBefore } from './journal.ts';
import { audit } from './reports.ts';

/** Pause before a gate that does not pass is asked again, in ms. */
const againMs = 5_000;

const isUpgrading = ({ journal }: Agent): boolean =>
  [...journal.upgrades.values()].some(({ step }) => step === 'running');

/** Of an agent that did not live when the transaction began. */
const nothingKnown: GateBefore = { at: 0, abilities: null, healthy: [] };

/**
 * What works is journaled at the first sign of a transaction, so that a crash in its middle does not forget
 * it. While a gate does not pass, what worked before that counts, whatever follows. What was remembered of one
 * of which nothing came ends as soon as that is known, in this process or the next.
 */
export const onGateBefore = (
  turn: Turn,
  { before }: Extract<AgentEvent, { kind: 'gate-before' }>,
): void => {
  const { agent } = turn;
  if (!agent.transactionOpen && !isUpgrading(agent)) return;
  agent.journal.gate ??= { before, failed: null };
};

/** A transaction is over: what its gate said; null: nothing was changed, and nothing asked. */
export const gateAfter = (turn: Turn, answer: GateAnswer | null): void => {
  const { journal } = turn.agent;
  const before = journal.gate?.before ?? nothingKnown;
  if (answer === null) {
    // What was remembered may be an upgrade's of ours, which is not over.
    if (journal.gate?.failed === null && !isUpgrading(turn.agent)) journal.gate = null;
  } else journal.gate = answer.ok ? null : { before, failed: answer.reason };
};

/** It was asked again: told at once, so that what waits for it goes on. */
export const onGate = (turn: Turn, { gate }: Extract<AgentEvent, { kind: 'gate' }>): void => {
  const { agent, mono } = turn;
  const { journal } = agent;
  if (!agent.gateBusy) return;
  agent.gateBusy = false;
  agent.gateNotBefore = mono + againMs;
  if (agent.gateOutdated) return;
  const failed = journal.gate?.failed ?? null;
  if (failed === null || (!gate.ok && gate.reason === failed)) return;
  if (gate.ok) audit(turn, { action: 'gate-passed', outcome: 'done', details: { was: failed } });
  gateAfter(turn, gate);
  turn.effects.push({ kind: 'observe', container: null });
};

/**
 * Whatever changes packages has a gate of its own, asked with what worked before all of it: an answer that was
 * asked for before it began counts for nothing, however late it comes.
 */
export const outdateGate = ({ agent }: Turn): void => {
  if (agent.gateBusy && (agent.transactionOpen || agent.upgradeBusy)) agent.gateOutdated = true;
};

/** One that did not pass is asked until it does; while packages change there is nothing to ask. */
export const advanceGate = (turn: Turn): void => {
  const { agent, mono } = turn;
  const { gate } = agent.journal;
  if (gate === null || gate.failed === null) return;
  if (agent.gateBusy || agent.upgradeBusy || agent.transactionOpen) return;
  if (mono < agent.gateNotBefore) return;
  agent.gateBusy = true;
  agent.gateOutdated = false;
  turn.effects.push({ kind: 'ask-gate', before: gate.before });
};
