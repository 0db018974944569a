import { createHash } from 'node:crypto';
import { advisoryPublishedJob } from './advisory-published.ts';
import type { AdvisoryPublished } from './advisory-published.ts';
import { serverParty, signEnvelope } from './envelope.ts';
import { advisoryLimits } from './job-options.ts';
import type { QueueCache } from './queue-cache.ts';
import { advisoriesQueue } from './queue-names.ts';
import type { SigningKey } from './signing-key.ts';

/** Ids of advisories hold what an id of a job may not. */
const jobIdOf = ({ feed, advisoryId, contentHash }: AdvisoryPublished): string =>
  `${serverParty}_${createHash('sha256').update(`${feed}\n${advisoryId}\n${contentHash}`).digest('hex')}`;

/**
 * Put what is new or changed into the matcher's queue. One job has the same id as long as an advisory says the same, so to
 * put it in once more changes nothing while it waits, and does once it is over: it is taken out as it completes.
 */
export const putAdvisories = async (
  queues: QueueCache,
  advisories: readonly AdvisoryPublished[],
  { key, serverNow }: { key: SigningKey; serverNow: number },
): Promise<void> => {
  const { name, version, options } = advisoryPublishedJob;
  await queues.queue(advisoriesQueue).addBulk(
    advisories.map((payload) => {
      const id = jobIdOf(payload);
      const message = { version, kind: name, id, from: serverParty, to: serverParty } as const;
      const envelope = signEnvelope(
        { ...message, issuedAt: serverNow, incarnation: '', expiresAt: null, payload },
        key,
      );
      return {
        name,
        data: envelope,
        opts: { ...options, ...advisoryLimits.keep, jobId: id },
      };
    }),
  );
};
