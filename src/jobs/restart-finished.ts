import { RestartFinished } from '../core/messages.ts';
import { reportPayload } from './job-kind.ts';
import type { JobKind } from './job-kind.ts';
import { reportOptions } from './job-options.ts';

/** Agent to coordinator: a grant is over, or failed and stays open (R20). */
export const restartFinishedJob = {
  name: 'restart-finished',
  version: 1,
  payload: reportPayload(RestartFinished),
  options: reportOptions,
} as const satisfies JobKind;
