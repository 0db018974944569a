import { z } from 'zod';
import type { JobKind } from './job-kind.ts';
import { jobOptions } from './job-options.ts';

/** Coordinator to agent: send a fresh and whole observation. */
export const observeHostJob = {
  name: 'observe-host',
  version: 1,
  payload: z.strictObject({}),
  options: jobOptions,
} as const satisfies JobKind;
