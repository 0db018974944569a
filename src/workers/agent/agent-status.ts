import type { Agent } from '../../core/agent/agent.ts';
import { recordCounts } from '../../core/agent/record.ts';
import type { ContainerName } from '../../core/ids.ts';
import type { ContainerView, RecordNumber, Step } from '../../core/messages.ts';

export interface Alert {
  message: string;
  /** Wall-clock ms of the first and the last time. */
  firstAt: number;
  lastAt: number;
  count: number;
}

/** What the agent knows of itself, for `status` on its host. Ages in ms. */
export interface AgentStatus {
  incarnation: string;
  /** False: waits for the server to name the grants of a former incarnation (R15). */
  settled: boolean;
  record: { number: RecordNumber; ageMs: number } | null;
  /** Why nothing may begin now; null: it may (R13). */
  recordDenies: string | null;
  grants: {
    grantId: string;
    container: ContainerName;
    service: string;
    waveId: string;
    step: Step;
    failed: boolean;
    /** What is under way for it, by name. */
    doing: string | null;
    /** What it waits for (L4). */
    waiting: string | null;
  }[];
  upgrades: { jobId: string; waveId: string; step: string; waiting: string | null }[];
  transactionOpen: boolean;
  unacknowledgedReports: number;
  junk: number;
  alerts: Alert[];
  containers: ContainerView[];
}

export const agentStatus = (
  agent: Agent,
  mono: number,
  more: Pick<AgentStatus, 'junk' | 'alerts' | 'containers'> & { holdBack: string | null },
): AgentStatus => {
  const { journal, record } = agent;
  const counts = recordCounts(agent, mono);
  return {
    incarnation: journal.incarnation,
    settled: journal.settled,
    record: record === null ? null : { number: record.value.number, ageMs: mono - record.seenAt },
    recordDenies: more.holdBack ?? (counts.kind === 'deny' ? counts.reason : null),
    grants: [...journal.grants.values()]
      .filter(({ end }) => end === null)
      .map(({ order, waveId, step, failed }) => ({
        grantId: order.grantId,
        container: order.container,
        service: order.service,
        waveId,
        step,
        failed,
        doing: agent.busy.get(order.grantId) ?? null,
        waiting: agent.waiting.get(order.grantId) ?? null,
      })),
    upgrades: [...journal.upgrades.values()]
      .filter(({ step }) => step !== 'ended')
      .map(({ jobId, order, step }) => ({
        jobId,
        waveId: order.waveId,
        step,
        waiting: agent.waiting.get(order.grantId) ?? null,
      })),
    transactionOpen: agent.transactionOpen,
    unacknowledgedReports: journal.reports.size,
    junk: more.junk,
    alerts: more.alerts,
    containers: more.containers,
  };
};
