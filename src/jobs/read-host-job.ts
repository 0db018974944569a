import { z } from 'zod';
import type { AcceptedJob } from '../core/agent/agent.ts';
import type { Envelope } from './envelope.ts';
import { hostUpgradeJob } from './host-upgrade.ts';
import { observeHostJob } from './observe-host.ts';
import { restartBatchJob } from './restart-batch.ts';

const jobsToHosts = [restartBatchJob, hostUpgradeJob, observeHostJob];

const GrantsOfAny = z.object({
  grantId: z.string().optional(),
  grants: z.array(z.object({ grantId: z.string() })).optional(),
});

/** Grant ids that can still be read in a payload that cannot: refusing the job ends them (R6). */
const readableGrants = (payload: unknown): string[] => {
  const read = GrantsOfAny.safeParse(payload);
  if (!read.success) return [];
  const { grantId, grants } = read.data;
  return [
    ...(grantId === undefined ? [] : [grantId]),
    ...(grants ?? []).map((grant) => grant.grantId),
  ];
};

/**
 * What a rightly signed envelope asks of an agent. What is of unknown kind or version, or cannot be read,
 * is `unusable`: to be refused and answered (R6). Never throws.
 */
export const readHostJob = ({
  kind,
  version,
  expiresAt,
  payload,
}: Envelope): { job: AcceptedJob; expiresAt: number } => {
  const unusable = (reason: string): { job: AcceptedJob; expiresAt: number } => ({
    job: { kind: 'unusable', reason, grants: readableGrants(payload) },
    expiresAt: expiresAt ?? 0,
  });
  const known = jobsToHosts.find(({ name }) => name === kind);
  if (known === undefined) return unusable(`unknown kind of job: ${kind}`);
  if (version !== known.version)
    return unusable(`${kind} of version ${version}: this agent knows version ${known.version}`);
  if (expiresAt === null) return unusable(`${kind} without an expiry`);
  const because = (error: z.ZodError): { job: AcceptedJob; expiresAt: number } =>
    unusable(`${kind} cannot be read: ${z.prettifyError(error)}`);
  switch (known.name) {
    case 'restart-batch': {
      const read = restartBatchJob.payload.safeParse(payload);
      return read.success
        ? { job: { kind: 'restart-batch', payload: read.data }, expiresAt }
        : because(read.error);
    }
    case 'host-upgrade': {
      const read = hostUpgradeJob.payload.safeParse(payload);
      return read.success
        ? { job: { kind: 'host-upgrade', payload: read.data }, expiresAt }
        : because(read.error);
    }
    case 'observe-host': {
      const read = observeHostJob.payload.safeParse(payload);
      return read.success
        ? { job: { kind: 'observe-host', refresh: read.data.refresh }, expiresAt }
        : because(read.error);
    }
  }
};
