import { JobRefused } from '../core/messages.ts';
import { reportPayload } from './job-kind.ts';
import type { JobKind } from './job-kind.ts';
import { reportOptions } from './job-options.ts';

/** Agent to coordinator: a rightly signed job that will not be done, and the grants this ends (R6). */
export const jobRefusedJob = {
  name: 'job-refused',
  version: 1,
  payload: reportPayload(JobRefused),
  options: reportOptions,
} as const satisfies JobKind;
