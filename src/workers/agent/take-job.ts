import type { AgentEvent } from '../../core/agent/agent.ts';
import type { Journal } from '../../core/agent/journal.ts';
import type { HostId } from '../../core/ids.ts';
import { serverParty, verifyEnvelope } from '../../jobs/envelope.ts';
import { readHostJob } from '../../jobs/read-host-job.ts';
import type { VerifyKey } from '../../jobs/signing-key.ts';
import type { Junk } from './junk.ts';

export interface TakePorts {
  hostId: HostId;
  serverKeys: () => readonly VerifyKey[];
  journal: () => Journal;
  /** Resolves once it is durable; false: the agent is stopping. */
  journaled: (event: AgentEvent) => Promise<boolean>;
  junk: Junk;
  monoMs: () => number;
}

/**
 * A known job is answered again (R5) this often at most: each answer costs the journal a synced write and the server a
 * report. The relay brings one that was not answered every 30 s.
 */
const answerEveryMs = 10_000;

const takeJob = async (
  ports: TakePorts,
  mayAnswer: (jobId: string) => boolean,
  data: unknown,
): Promise<void> => {
  const { hostId, junk } = ports;
  const verified = verifyEnvelope(data, {
    recipient: hostId,
    keysOf: (from) => (from === serverParty ? ports.serverKeys() : []),
  });
  if (verified.kind !== 'valid') {
    junk.count(verified.kind, verified.reason);
    return;
  }
  const { envelope, hash } = verified;
  // A control record is signed for this host, too. To refuse it as a job would leave a record each time it is put there.
  if (envelope.expiresAt === null) {
    junk.count('malformed', `${envelope.kind} ${envelope.id} is no job: it never expires`);
    return;
  }
  const prefix = `${hostId}_`;
  if (!envelope.id.startsWith(prefix)) {
    junk.count('wrong-recipient', `id ${envelope.id} is not this host's`);
    return;
  }
  // Answers name the job as the server's outbox does: without the host (R3).
  const jobId = envelope.id.slice(prefix.length);
  const known = ports.journal().jobs.get(jobId);
  if (known !== undefined && known.hash !== hash) {
    junk.count('other-content', `another content under the known id ${jobId}`);
    return;
  }
  if (known !== undefined && !mayAnswer(jobId)) return;
  const { job, expiresAt } = readHostJob(envelope);
  const { incarnation } = envelope;
  const taken = await ports.journaled({
    ...{ kind: 'job', jobId, hash, incarnation, expiresAt, job },
    leader: envelope.leader ?? null,
  });
  if (!taken) throw new Error('the agent is stopping; the job is taken again later');
};

/**
 * Takes the jobs of the host's queue, one by one: verify, journal, and it is complete (R4). Junk is counted and complete
 * too (R7). Rejects only while the agent stops: the job then comes again.
 */
export const takeJobs = (ports: TakePorts): ((data: unknown) => Promise<void>) => {
  /** When known jobs that came again were answered; those that were not within `answerEveryMs` are forgotten. */
  const answered = new Map<string, number>();
  const mayAnswer = (jobId: string): boolean => {
    const now = ports.monoMs();
    for (const [id, at] of answered) {
      // The oldest stand first.
      if (now - at < answerEveryMs) break;
      answered.delete(id);
    }
    if (answered.has(jobId)) return false;
    answered.set(jobId, now);
    return true;
  };
  return (data) => takeJob(ports, mayAnswer, data);
};
