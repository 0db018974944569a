import { expect, test } from '@jest/globals';
import { bootAgent } from '../../../src/core/agent/agent.ts';
import type { Agent } from '../../../src/core/agent/agent.ts';
import { emptyJournal } from '../../../src/core/agent/journal.ts';
import type { Report, Step } from '../../../src/core/messages.ts';
import { newSigningKey } from '../../../src/jobs/signing-key.ts';
import { startSender } from '../../../src/workers/agent/send-reports.ts';
import type { ReportPorts, ReportSender } from '../../../src/workers/agent/send-reports.ts';
import { waitUntil } from '../../bed/wait-until.ts';

const soon = { deadlineMs: 10_000, everyMs: 2 };

const agentOf = (...reports: Report[]): Agent => {
  const agent = bootAgent(emptyJournal('life-1', true));
  for (const report of reports) {
    agent.journal.lastSeq += 1;
    agent.journal.reports.set(agent.journal.lastSeq, report);
  }
  return agent;
};

const refused: Report = { kind: 'job-refused', jobId: 'j', reason: '', endsGrants: [] };
const progress = (step: Step): Report => ({ kind: 'restart-progress', grantId: 'g', step, at: 1 });

const send = (
  agent: Agent,
  ports: Partial<ReportPorts>,
): { sent: string[]; sender: ReportSender } => {
  const sent: string[] = [];
  const sender = startSender({
    hostId: 'h1',
    agent: () => agent,
    sync: () => true,
    heardRecord: () => null,
    signingKey: newSigningKey,
    send: ({ kind }) => Promise.resolve(void sent.push(kind)),
    newId: () => 'id',
    monoMs: () => performance.now(),
    onError: (error) => {
      throw error;
    },
    times: { againMs: { first: 10_000, largest: 10_000 }, pollMs: 1, paceMs: 0, gatherMs: 0 },
    ...ports,
  });
  return { sent, sender };
};

test('nothing is sent before a record was read (R15)', async () => {
  const agent = agentOf(refused);
  let asked = 0;
  const { sent, sender } = send(agent, {
    agent: () => {
      asked += 1;
      return agent;
    },
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

test('nothing is sent that the disk may forget (R8)', async () => {
  const agent = agentOf(refused);
  agent.foundSeq = null;
  let synced = false;
  let asked = 0;
  const { sent, sender } = send(agent, {
    sync: () => {
      asked += 1;
      return synced;
    },
  });
  try {
    await waitUntil('it has tried some times', () => asked >= 5, soon);
    expect(sent).toEqual([]);
    synced = true;
    await waitUntil('it is sent', () => sent.length > 0, soon);
  } finally {
    await sender.stop();
  }
});

test('the steps of a restart wait for one another and go with its end', async () => {
  const agent = agentOf(progress('stopping'));
  agent.foundSeq = null;
  let now = 1_000;
  let looked = 0;
  const { sent, sender } = send(agent, {
    agent: () => {
      looked += 1;
      return agent;
    },
    monoMs: () => now,
    times: { againMs: { first: 10_000, largest: 10_000 }, pollMs: 1, paceMs: 50, gatherMs: 100 },
  });
  const look = async (): Promise<void> => {
    const before = looked;
    await waitUntil('it has looked again', () => looked >= before + 3, soon);
  };
  const tell = (report: Report): void => {
    agent.journal.lastSeq += 1;
    agent.journal.reports.set(agent.journal.lastSeq, report);
  };
  try {
    await look();
    now += 99;
    tell(progress('stopped'));
    await look();
    expect(sent).toEqual([]);
    now += 1;
    await waitUntil('both are sent', () => sent.length > 0, soon);
    expect(sent).toEqual(['restart-progress', 'restart-progress']);
    // What others wait for takes along what can wait.
    tell(progress('started'));
    tell(refused);
    await waitUntil('all is sent', () => sent.length > 2, soon);
    expect(sent.slice(2)).toEqual(['restart-progress', 'job-refused']);
  } finally {
    await sender.stop();
  }
});
