import { compareRecordNumbers, leadsAfter } from '../messages.ts';
import type { ControlRecord, Leader, RecordNumber } from '../messages.ts';
import type { Agent, HeardRecord, Turn } from './agent.ts';

/** A record older than this counts no more (R13), in ms of the agent's monotonic clock. */
export const recordLifeMs = 15_000;

/** A record that comes so late by the one before was on its way; beyond that the server's clock has lost time. */
const longestWayMs = 1_000;

/** So much may the two clocks differ in speed: what was once measured well is believed less and less. */
const drift = 0.0005;

/**
 * When a record's server time was the present one: when it was seen, less the way that it took longer than the one
 * before. Else times in the journal would leap by what each record happens to take (R14).
 */
const saidAt = (before: HeardRecord | null, value: ControlRecord, mono: number): number => {
  if (before === null) return mono;
  const passed = value.serverTime - before.value.serverTime;
  const expected = before.saidAt + passed * (1 + drift);
  return expected < mono && mono - expected < longestWayMs ? expected : mono;
};

/** Server time as the agent may judge it: the record's, plus the monotonic time since; never back under one leader (R14). */
export const serverTime = (agent: Agent, mono: number): number => {
  const heard = agent.record;
  const estimate = heard === null ? 0 : heard.value.serverTime + Math.max(0, mono - heard.saidAt);
  agent.serverTimeFloor = Math.max(agent.serverTimeFloor, estimate);
  return agent.serverTimeFloor;
};

/** R13: whether the record permits anything to begin, and if not, why. */
export const recordCounts = (
  agent: Agent,
  mono: number,
): { kind: 'allow' } | { kind: 'deny'; reason: string } => {
  const heard = agent.record;
  if (heard === null) return { kind: 'deny', reason: 'no control record was read yet' };
  if (!heard.advanced)
    return { kind: 'deny', reason: 'the control record has not advanced since this agent started' };
  const age = mono - heard.seenAt;
  if (age > recordLifeMs)
    return {
      kind: 'deny',
      reason: `the control record has not advanced for ${Math.round(age / 1000)} s: the server or Redis is not answering`,
    };
  return { kind: 'allow' };
};

export const leaderOf = ([generation, epoch]: RecordNumber): Leader => [generation, epoch];

/** The newest leader that this journal has heard of; none of them has such a number where it has heard of none. */
export const heardLeader = ({ journal }: Agent): Leader =>
  leaderOf(journal.highestRecord ?? [0, 0, 0]);

/** Take in a control record (R13): lower numbers are ignored, the highest is kept in the journal. */
export const hearRecord = (turn: Turn, record: ControlRecord): boolean => {
  const { agent, mono } = turn;
  const highest = agent.journal.highestRecord;
  if (highest !== null && compareRecordNumbers(record.number, highest) < 0) return false;
  const last = agent.record;
  if (last !== null && compareRecordNumbers(record.number, last.value.number) === 0) return false;
  const isOfOther =
    last !== null && leadsAfter(leaderOf(record.number), leaderOf(last.value.number));
  // R14: while nobody led, server time stood still, and that of a restored store went back.
  if (isOfOther) agent.serverTimeFloor = record.serverTime;
  const before = isOfOther ? null : last;
  // The first record that a process reads may have lain in Redis for any time: it proves nothing about now.
  agent.record = {
    value: record,
    seenAt: mono,
    saidAt: saidAt(before, record, mono),
    advanced: last !== null,
  };
  agent.journal.highestRecord = record.number;
  return true;
};
