import { expect, test } from '@jest/globals';
import { bootAgent } from '../../../src/core/agent/agent.ts';
import { emptyJournal } from '../../../src/core/agent/journal.ts';
import { newSigningKey } from '../../../src/jobs/signing-key.ts';
import { startSender } from '../../../src/workers/agent/send-reports.ts';
import { waitUntil } from '../../bed/wait-until.ts';

const soon = { deadlineMs: 10_000, everyMs: 2 };

test('nothing is sent before a record was read (R15)', async () => {
  const agent = bootAgent(emptyJournal('life-1', true));
  agent.journal.lastSeq = 1;
  agent.journal.reports.set(1, { kind: 'job-refused', jobId: 'j', reason: '', endsGrants: [] });
  const sent: string[] = [];
  let asked = 0;
  const sender = startSender({
    hostId: 'h1',
    agent: () => {
      asked += 1;
      return agent;
    },
    heardRecord: () => null,
    signingKey: newSigningKey,
    send: ({ kind }) => Promise.resolve(void sent.push(kind)),
    newId: () => 'id',
    monoMs: () => performance.now(),
    onError: (error) => {
      throw error;
    },
    times: { againMs: { first: 10_000, largest: 10_000 }, pollMs: 1, paceMs: 0 },
  });
  try {
    await waitUntil('it has looked some times', () => asked >= 5, soon);
    expect(sent).toEqual([]);
    agent.foundSeq = null;
    await waitUntil('it is sent', () => sent.length > 0, soon);
    expect(sent).toEqual(['job-refused']);
  } finally {
    await sender.stop();
  }
});
