import { z } from 'zod';
import { advisoryPublishedJob } from './advisory-published.ts';
import type { AdvisoryPublished } from './advisory-published.ts';
import { serverParty, verifyEnvelope } from './envelope.ts';
import type { VerifyKey } from './signing-key.ts';

/** What a job of the matcher's queue says; `reason`: why it is none that a server of ours wrote. */
export const readAdvisoryJob = (
  raw: unknown,
  serverKeys: readonly VerifyKey[],
): { ok: true; published: AdvisoryPublished } | { ok: false; reason: string } => {
  const verified = verifyEnvelope(raw, {
    recipient: serverParty,
    keysOf: (from) => (from === serverParty ? serverKeys : []),
  });
  if (verified.kind !== 'valid') return { ok: false, reason: verified.reason };
  const { kind, version, payload } = verified.envelope;
  if (kind !== advisoryPublishedJob.name || version !== advisoryPublishedJob.version)
    return { ok: false, reason: `${kind} of version ${version} is no job for the matcher` };
  const read = advisoryPublishedJob.payload.safeParse(payload);
  return read.success
    ? { ok: true, published: read.data }
    : { ok: false, reason: z.prettifyError(read.error) };
};
