import { HostUpgraded } from '../core/messages.ts';
import { reportPayload } from './job-kind.ts';
import type { JobKind } from './job-kind.ts';
import { reportOptions } from './job-options.ts';

/** Agent to coordinator: packages of the host changed, by a job or by anybody else (R30). */
export const hostUpgradedJob = {
  name: 'host-upgraded',
  version: 1,
  payload: reportPayload(HostUpgraded),
  options: reportOptions,
} as const satisfies JobKind;
