import { RestartBatch } from '../core/messages.ts';
import type { JobKind } from './job-kind.ts';
import { jobOptions } from './job-options.ts';

/** Coordinator to agent: grants of one host that may all begin at once (R19). */
export const restartBatchJob = {
  name: 'restart-batch',
  version: 1,
  payload: RestartBatch,
  options: jobOptions,
} as const satisfies JobKind;
