import { expect, test } from '@jest/globals';
import { bootAgent } from '../../../src/core/agent/agent.ts';
import { emptyJournal } from '../../../src/core/agent/journal.ts';
import { copiesWanted } from '../../../src/workers/agent/copies-wanted.ts';
import type { Agent } from '../../../src/core/agent/agent.ts';

const chain = (life: string, range?: { after: number; limit: number }) => {
  const { after = 0, limit = 0 } = range ?? {};
  return Array.from({ length: 700 }, (_, at) => ({ seq: at + 1, hash: '', record: { life } }))
    .filter(({ seq }) => seq > after)
    .slice(0, limit);
};

/** An agent whose server says how many of its 700 records it has. */
const agentOf = (copied?: number, incarnation = 'life-1'): Agent => {
  const agent = bootAgent(emptyJournal('life-1', true));
  const value = {
    ...{ number: [1, 1, 1] as [number, number, number], serverTime: 0, incarnation, ackedSeq: 0 },
    ...(copied === undefined ? {} : { copied }),
    ...{ pauses: [], freezes: [], excluded: false, voids: [], suspects: [], parked: [] },
  };
  agent.record = { value, seenAt: 0, saidAt: 0, advanced: true };
  return agent;
};

const wanted = (agent: Agent): number[] => copiesWanted(agent, { chain }).map(({ seq }) => seq);

/** Of the first 200 records nothing is kept any more. */
const shortened: typeof chain = (life, range) => {
  const after = Math.max(200, range?.after ?? 0);
  return chain(life, { after, limit: range?.limit ?? 0 });
};

test('what the server has lost is sent again, some at a time', () => {
  const seqs = wanted(agentOf(10));
  expect([seqs[0], seqs.length]).toEqual([11, 100]);
  expect(wanted(agentOf(690))).toHaveLength(10);
  expect(wanted(agentOf(700))).toEqual([]);
});

test('nothing is while copies are on their way, by a record of another life, or of a server that does not count', () => {
  const onTheWay = agentOf(10);
  onTheWay.journal.reports.set(1, { kind: 'audit-copied', seq: 11, hash: '', record: {} });
  const unsettled = agentOf(10);
  unsettled.journal.settled = false;
  for (const agent of [onTheWay, unsettled, agentOf(10, 'life-0'), agentOf()])
    expect(wanted(agent)).toEqual([]);
});

test('what does not go on what the server has is not sent, over and over', () => {
  const seqs = (copied: number): number[] =>
    copiesWanted(agentOf(copied), { chain: shortened }).map(({ seq }) => seq);
  expect(seqs(199)).toEqual([]);
  expect(seqs(200)).toHaveLength(100);
});
