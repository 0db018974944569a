import { UpgradeFinished } from '../core/messages.ts';
import { reportPayload } from './job-kind.ts';
import type { JobKind } from './job-kind.ts';
import { reportOptions } from './job-options.ts';

/** Agent to coordinator: a host upgrade is over, its gate included (R29). */
export const upgradeFinishedJob = {
  name: 'upgrade-finished',
  version: 1,
  payload: reportPayload(UpgradeFinished),
  options: reportOptions,
} as const satisfies JobKind;
