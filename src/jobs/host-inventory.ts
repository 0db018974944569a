import { HostInventory } from '../core/messages.ts';
import { reportPayload } from './job-kind.ts';
import type { JobKind } from './job-kind.ts';
import { reportOptions } from './job-options.ts';

/** Agent to coordinator: the host's packages, and what its repositories offer. */
export const hostInventoryJob = {
  name: 'host-inventory',
  version: 1,
  payload: reportPayload(HostInventory),
  options: reportOptions,
} as const satisfies JobKind;
