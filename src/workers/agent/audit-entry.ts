import type { AuditEntry } from '../../audit/chain.ts';
import type { Agent, AgentAudit } from '../../core/agent/agent.ts';
import type { HostId } from '../../core/ids.ts';

/** What core's audits lack: which host speaks, and when. */
export interface AuditPlace {
  hostId: HostId;
  wallMs: number;
}

/** An entry of the host's chain that no turn of core made. */
export type OwnAudit = Pick<AuditEntry, 'action' | 'outcome' | 'details'>;

const common = (
  agent: Agent,
  { hostId, wallMs }: AuditPlace,
): Pick<AuditEntry, 'at' | 'serverTime' | 'host' | 'life' | 'actor'> => ({
  at: new Date(wallMs).toISOString(),
  serverTime: agent.serverTimeFloor,
  host: hostId,
  life: agent.journal.incarnation,
  actor: `agent ${hostId}`,
});

const causeOf = ({ journal }: Agent, grantId: string | null): string | null => {
  if (grantId === null) return null;
  const jobId =
    journal.grants.get(grantId)?.jobId ??
    [...journal.upgrades.values()].find(({ order }) => order.grantId === grantId)?.jobId;
  return jobId === undefined || jobId === '' ? null : `job ${jobId}`;
};

export const auditEntry = (agent: Agent, audit: AgentAudit, place: AuditPlace): AuditEntry => ({
  ...common(agent, place),
  action: audit.action,
  subject: audit.container === null ? place.hostId : `${place.hostId}/${audit.container}`,
  service: audit.service,
  cause: causeOf(agent, audit.grantId),
  wave: audit.waveId,
  grant: audit.grantId,
  outcome: audit.outcome,
  details: audit.details,
});

export const ownAuditEntry = (agent: Agent, audit: OwnAudit, place: AuditPlace): AuditEntry => ({
  ...common(agent, place),
  subject: place.hostId,
  service: null,
  cause: null,
  wave: null,
  grant: null,
  ...audit,
});
