import { HostUpgrade } from '../core/messages.ts';
import type { JobKind } from './job-kind.ts';
import { jobOptions } from './job-options.ts';

/** Coordinator to agent: upgrade packages of the host (R29). */
export const hostUpgradeJob = {
  name: 'host-upgrade',
  version: 1,
  payload: HostUpgrade,
  options: jobOptions,
} as const satisfies JobKind;
