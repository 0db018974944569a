import { describe, expect, test } from '@jest/globals';
import type { AgentEvent } from '../../../src/core/agent/agent.ts';
import { emptyJournal } from '../../../src/core/agent/journal.ts';
import { contentHash, serverParty, signEnvelope } from '../../../src/jobs/envelope.ts';
import type { Unsigned } from '../../../src/jobs/envelope.ts';
import { observeHostJob } from '../../../src/jobs/observe-host.ts';
import { newSigningKey, verifyKeyOf } from '../../../src/jobs/signing-key.ts';
import { takeJobs } from '../../../src/workers/agent/take-job.ts';

const server = newSigningKey();

const message: Unsigned = {
  ...{
    version: observeHostJob.version,
    kind: 'observe-host',
    id: 'h1_j',
    from: serverParty,
    to: 'h1',
    issuedAt: 1,
  },
  ...{ incarnation: 'life-1', expiresAt: 9, payload: { refresh: false } },
};

/** An agent that may know a job `j` already, by its hash, and may be about to end. */
const agent = ({
  known = null,
  stops = false,
}: { known?: string | null; stops?: boolean } = {}) => {
  const journal = emptyJournal('life-1', true);
  if (known !== null) journal.jobs.set('j', { hash: known, grants: [], forgetAfter: 9 });
  const [journaled, junk]: [AgentEvent[], string[]] = [[], []];
  const clock = { now: 0 };
  const takeEach = takeJobs({
    hostId: 'h1',
    serverKeys: () => [verifyKeyOf(server)],
    journal: () => journal,
    journaled: (event) => {
      if (!stops) journaled.push(event);
      return Promise.resolve(!stops);
    },
    junk: { count: (why) => junk.push(why), total: () => junk.length, stop: () => undefined },
    monoMs: () => clock.now,
  });
  const take = (job: Unsigned, key = server): Promise<void> => takeEach(signEnvelope(job, key));
  return { take, journaled, junk, clock };
};

test('a job is journaled under the id that the server’s outbox knows', async () => {
  const { take, journaled, junk } = agent();
  await take(message);
  expect(journaled).toEqual([
    {
      ...{ kind: 'job', jobId: 'j', hash: contentHash(message), incarnation: 'life-1' },
      ...{ expiresAt: 9, leader: null, job: { kind: 'observe-host', refresh: false } },
    },
  ]);
  expect(junk).toEqual([]);
});

test('a redelivery is journaled as any: its answer is sent again (R5)', async () => {
  const { take, journaled, clock } = agent({ known: contentHash(message) });
  await take(message);
  expect(journaled).toHaveLength(1);
  // Not each time where somebody brings it over and over.
  clock.now = 9_999;
  await take(message);
  expect(journaled).toHaveLength(1);
  clock.now = 10_000;
  await take(message);
  expect(journaled).toHaveLength(2);
});

describe('counted, and never answered (R7), is', () => {
  test.each<[string, string, Unsigned]>([
    ['what is for another host', 'wrong-recipient', { ...message, to: 'h2' }],
    ['what has the id of another host’s job', 'wrong-recipient', { ...message, id: 'h10_j' }],
    [
      'what a host says, though the server’s key signed it',
      'unknown-key',
      { ...message, from: 'h2' },
    ],
    ['other content under a known id', 'other-content', { ...message, payload: { refresh: true } }],
  ])('%s: %s', async (_, why, job) => {
    const { take, journaled, junk } = agent({ known: contentHash(message) });
    await take(job);
    expect({ junk, journaled }).toEqual({ junk: [why], journaled: [] });
  });

  test('what another key has signed', async () => {
    const { take, journaled, junk } = agent();
    await take(message, newSigningKey());
    expect({ junk, journaled }).toEqual({ junk: ['unknown-key'], journaled: [] });
  });
});

test('a job that cannot be journaled any more is not over, and comes again (R4)', async () => {
  const { take } = agent({ stops: true });
  await expect(take(message)).rejects.toThrow('the agent is stopping');
});
