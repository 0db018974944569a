import { z } from 'zod';
import type { JobKind } from './job-kind.ts';
import { jobOptions } from './job-options.ts';

/** An advisory's content as the store has it; the matcher reads the rest there. */
export const AdvisoryPublished = z.strictObject({
  feed: z.string().min(1),
  advisoryId: z.string().min(1),
  /** SHA-256, hex: published again only when this changes. */
  contentHash: z.string().regex(/^[0-9a-f]{64}$/),
});
export type AdvisoryPublished = z.infer<typeof AdvisoryPublished>;

/** Producer to matcher: an advisory is new, changed or withdrawn. */
export const advisoryPublishedJob = {
  name: 'advisory-published',
  version: 1,
  payload: AdvisoryPublished,
  options: jobOptions,
} as const satisfies JobKind;
