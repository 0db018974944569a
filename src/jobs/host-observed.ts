import { HostObserved } from '../core/messages.ts';
import { reportPayload } from './job-kind.ts';
import type { JobKind } from './job-kind.ts';
import { reportOptions } from './job-options.ts';

/** Agent to coordinator: what the host's containers are like now, whole or what changed. */
export const hostObservedJob = {
  name: 'host-observed',
  version: 1,
  payload: reportPayload(HostObserved),
  options: reportOptions,
} as const satisfies JobKind;
