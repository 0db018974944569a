import { RestartProgress } from '../core/messages.ts';
import { reportPayload } from './job-kind.ts';
import type { JobKind } from './job-kind.ts';
import { reportOptions } from './job-options.ts';

/** Agent to coordinator: a grant reached its next step. */
export const restartProgressJob = {
  name: 'restart-progress',
  version: 1,
  payload: reportPayload(RestartProgress),
  options: reportOptions,
} as const satisfies JobKind;
