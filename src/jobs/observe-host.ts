import { z } from 'zod';
import type { JobKind } from './job-kind.ts';
import { jobOptions } from './job-options.ts';

/** Coordinator to agent: send a fresh and whole observation, and report the packages anew where they changed. */
export const observeHostJob = {
  name: 'observe-host',
  version: 2,
  payload: z.strictObject({
    /** Fetch the indexes of the host's repositories first, and report what they offer. */
    refresh: z.boolean(),
  }),
  options: jobOptions,
} as const satisfies JobKind;
