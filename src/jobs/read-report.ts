import { z } from 'zod';
import { HostId } from '../core/ids.ts';
import type { Report, SequencedReport } from '../core/messages.ts';
import { auditCopiedJob } from './audit-copied.ts';
import type { Envelope, Unsigned } from './envelope.ts';
import { serverParty } from './envelope.ts';
import { hostInventoryJob } from './host-inventory.ts';
import { hostObservedJob } from './host-observed.ts';
import { hostUpgradedJob } from './host-upgraded.ts';
import { jobRefusedJob } from './job-refused.ts';
import { jobIdFor } from './queue-names.ts';
import { restartFinishedJob } from './restart-finished.ts';
import { restartProgressJob } from './restart-progress.ts';
import { upgradeFinishedJob } from './upgrade-finished.ts';

const reportJobs = {
  'host-observed': hostObservedJob,
  'host-upgraded': hostUpgradedJob,
  'restart-progress': restartProgressJob,
  'restart-finished': restartFinishedJob,
  'upgrade-finished': upgradeFinishedJob,
  'job-refused': jobRefusedJob,
  'audit-copied': auditCopiedJob,
  'host-inventory': hostInventoryJob,
} as const satisfies Record<Report['kind'], unknown>;

const isReportKind = (kind: string): kind is Report['kind'] => Object.hasOwn(reportJobs, kind);

/** A report ready to be signed for one sending; `uuid` is fresh for each (R8). */
export const writeReport = (
  { host, incarnation, seq, echo, acked, report }: SequencedReport,
  { uuid, issuedAt }: { uuid: string; issuedAt: number },
): Unsigned => ({
  version: reportJobs[report.kind].version,
  kind: report.kind,
  id: jobIdFor(host, uuid),
  from: host,
  to: serverParty,
  issuedAt,
  incarnation,
  expiresAt: null,
  payload: { seq, echo, acked, report },
});

export type ReadReport =
  { kind: 'report'; message: SequencedReport } | { kind: 'unusable'; reason: string };

/** What a rightly signed envelope from a host reports. Never throws. */
export const readReport = ({ kind, version, from, incarnation, payload }: Envelope): ReadReport => {
  const host = HostId.safeParse(from);
  if (!host.success) return { kind: 'unusable', reason: `${from} is no host` };
  if (!isReportKind(kind)) return { kind: 'unusable', reason: `unknown kind of report: ${kind}` };
  const job = reportJobs[kind];
  if (version !== job.version)
    return {
      kind: 'unusable',
      reason: `${kind} of version ${version}: this server knows version ${job.version}`,
    };
  const read = job.payload.safeParse(payload);
  if (!read.success)
    return { kind: 'unusable', reason: `${kind} cannot be read: ${z.prettifyError(read.error)}` };
  const { seq, echo, acked, report } = read.data;
  return { kind: 'report', message: { host: host.data, incarnation, seq, echo, acked, report } };
};
