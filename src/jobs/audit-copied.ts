import { AuditCopied } from '../core/messages.ts';
import { reportPayload } from './job-kind.ts';
import type { JobKind } from './job-kind.ts';
import { reportOptions } from './job-options.ts';

/** Agent to coordinator: one record of the host's audit chain, for the store's copy. */
export const auditCopiedJob = {
  name: 'audit-copied',
  version: 1,
  payload: reportPayload(AuditCopied),
  options: reportOptions,
} as const satisfies JobKind;
