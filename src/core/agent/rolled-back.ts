import type { ControlRecord } from '../messages.ts';
import type { Agent, AgentEvent, Turn } from './agent.ts';
import { emptyJournal } from './journal.ts';
import { audit } from './reports.ts';

/**
 * R15: whether the server has heard more of this journal's life than the journal remembers. Of the first record that this
 * process reads that is asked of the journal as it was found: what was added since was not sent yet, and would hide by
 * its numbers what is missing.
 */
export const isRolledBack = (
  { journal, foundSeq }: Agent,
  { incarnation, ackedSeq }: ControlRecord,
): boolean => incarnation === journal.incarnation && ackedSeq > (foundSeq ?? journal.lastSeq);

/** Begin a new life in place of a journal that was rolled back. What is known of the host itself stays. */
export const beginAnew = (
  turn: Turn,
  { record, newIncarnation }: Extract<AgentEvent, { kind: 'record' }>,
): void => {
  const { agent } = turn;
  const { containers, gate, highestRecord, settings } = agent.journal;
  agent.journal = {
    ...emptyJournal(newIncarnation, false),
    ...{ containers, gate, highestRecord, settings },
  };
  const { busy, waiting, attempts, seenOld, notBefore } = agent;
  for (const map of [busy, waiting, attempts, seenOld, notBefore]) map.clear();
  agent.upgradeBusy = false;
  agent.strayStopsEnded = false;
  agent.strayBusy = false;
  audit(turn, {
    action: 'incarnation-begun',
    details: {
      incarnation: newIncarnation,
      reason: `the server has report ${record.ackedSeq} of a journal that was rolled back`,
    },
  });
  turn.effects.push({ kind: 'observe', container: null });
};
