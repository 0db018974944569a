import type { AgentEvent, Turn } from './agent.ts';
import type { AgentGrant } from './journal.ts';
import { leadsAfter } from '../messages.ts';
import { heardLeader, serverTime } from './record.ts';
import { audit, enter, report } from './reports.ts';
import { tellUpgradeAgain } from './tell-again.ts';

type JobEvent = Extract<AgentEvent, { kind: 'job' }>;

/** Redelivery is possible for this long after a job expired (R5), in ms of server time. */
const rememberMs = 24 * 3_600_000;

const grantsOf = ({ job }: JobEvent): string[] => {
  switch (job.kind) {
    case 'restart-batch':
      return job.payload.grants.map(({ grantId }) => grantId);
    case 'host-upgrade':
      return [job.payload.grantId];
    case 'unusable':
      return job.grants;
    case 'observe-host':
      return [];
  }
};

/** R6: journaled first, and only for grants that this incarnation never held. */
const refuse = (turn: Turn, event: JobEvent, reason: string): void => {
  const { journal } = turn.agent;
  const endsGrants = grantsOf(event).filter(
    (id) =>
      !journal.grants.has(id) &&
      ![...journal.upgrades.values()].some(({ order }) => order.grantId === id),
  );
  for (const id of endsGrants)
    if (!journal.refused.has(id)) journal.refused.set(id, { outcome: 'refused', reason });
  journal.jobs.set(event.jobId, {
    hash: event.hash,
    grants: endsGrants,
    forgetAfter: event.expiresAt + rememberMs,
  });
  audit(turn, {
    action: 'job-refused',
    outcome: 'refused',
    details: { jobId: event.jobId, reason, endsGrants },
  });
  report(turn, { kind: 'job-refused', jobId: event.jobId, reason, endsGrants });
  turn.effects.push({ kind: 'observe', container: null });
};

/** The journaled answer, once more (R5): the reports that may have been acknowledged with nobody listening. */
const answerAgain = (turn: Turn, event: JobEvent): void => {
  const { journal } = turn.agent;
  const upgrade = journal.upgrades.get(event.jobId);
  if (upgrade?.step === 'ended') tellUpgradeAgain(turn, upgrade);
  for (const id of grantsOf(event)) {
    const held = journal.grants.get(id);
    const refused = journal.refused.get(id);
    if (held !== undefined && held.end === null)
      report(turn, {
        kind: 'restart-progress',
        grantId: id,
        step: held.step,
        at: turn.agent.serverTimeFloor,
      });
    else if (held !== undefined && held.end !== null)
      report(turn, {
        kind: 'restart-finished',
        grantId: id,
        outcome: held.end.outcome,
        verification: held.verification,
        reason: held.end.reason,
        steps: [...held.steps],
        container: null,
      });
    else if (refused !== undefined)
      report(turn, {
        kind: 'job-refused',
        jobId: event.jobId,
        reason: refused.reason,
        endsGrants: [id],
      });
  }
};

/** Take a job into the journal (R4–R6). What the journal holds is worked off from there. */
export const onJob = (turn: Turn, event: JobEvent): void => {
  const { agent, mono } = turn;
  const { journal } = agent;
  const known = journal.jobs.get(event.jobId);
  if (known !== undefined) {
    if (known.hash === event.hash) answerAgain(turn, event);
    return;
  }
  // R16: a leader brings each job that it knows of itself. What one before it has put in may be forgotten by now.
  if (event.leader !== null && leadsAfter(heardLeader(agent), event.leader)) return;
  // R15: until the server has named the grants of the former incarnation, nothing of it may be refused:
  // a refusal would end a grant whose stop may have begun. The job comes again.
  if (!journal.settled && event.incarnation !== journal.incarnation) return;
  if (event.incarnation !== journal.incarnation)
    return refuse(
      turn,
      event,
      `for incarnation ${event.incarnation}, this is ${journal.incarnation}`,
    );
  if (event.job.kind === 'unusable') return refuse(turn, event, event.job.reason);
  if (agent.record !== null && serverTime(agent, mono) >= event.expiresAt)
    return refuse(turn, event, 'expired');
  journal.jobs.set(event.jobId, {
    hash: event.hash,
    grants: grantsOf(event),
    forgetAfter: event.expiresAt + rememberMs,
  });
  if (event.job.kind === 'observe-host') {
    const { refresh } = event.job;
    turn.effects.push({ kind: 'observe', container: null }, { kind: 'take-inventory', refresh });
    return;
  }
  if (event.job.kind === 'host-upgrade') {
    const { payload } = event.job;
    const refused = journal.refused.get(payload.grantId);
    if (refused !== undefined)
      report(turn, {
        kind: 'job-refused',
        jobId: event.jobId,
        reason: refused.reason,
        endsGrants: [payload.grantId],
      });
    else {
      journal.upgrades.set(event.jobId, {
        order: payload,
        jobId: event.jobId,
        step: 'waiting',
        noRoom: null,
        end: null,
      });
      report(turn, {
        kind: 'restart-progress',
        grantId: payload.grantId,
        step: 'journaled',
        at: agent.serverTimeFloor,
      });
    }
    return;
  }
  const { waveId, grants } = event.job.payload;
  for (const order of grants) {
    const refused = journal.refused.get(order.grantId);
    if (refused !== undefined) {
      report(turn, {
        kind: 'restart-finished',
        grantId: order.grantId,
        outcome: refused.outcome,
        verification: null,
        reason: refused.reason,
        steps: [],
        container: null,
      });
      turn.effects.push({ kind: 'observe', container: order.container });
      continue;
    }
    if (journal.grants.has(order.grantId)) continue;
    const grant: AgentGrant = {
      order,
      waveId,
      jobId: event.jobId,
      step: 'journaled',
      steps: [],
      found: null,
      drains: true,
      child: null,
      failed: false,
      adopted: false,
      tookOver: null,
      stopping: null,
      ending: null,
      verification: null,
      end: null,
    };
    journal.grants.set(order.grantId, grant);
    enter(turn, grant, 'journaled');
  }
};

/** R20: void ids of grants that never arrived are refused for ever, and answered. */
export const onVoids = (turn: Turn): void => {
  const { journal, record } = turn.agent;
  for (const id of record?.value.voids ?? []) {
    if (journal.grants.has(id) || journal.refused.has(id)) continue;
    if ([...journal.upgrades.values()].some(({ order }) => order.grantId === id)) continue;
    journal.refused.set(id, { outcome: 'void', reason: 'taken back before it arrived' });
    report(turn, {
      kind: 'restart-finished',
      grantId: id,
      outcome: 'void',
      verification: null,
      reason: 'taken back before it arrived',
      steps: [],
      container: null,
    });
    turn.effects.push({ kind: 'observe', container: null });
  }
};

/** R5: forget what can be redelivered no more; an id with a grant not ended never. */
export const forgetOldJobs = (turn: Turn): void => {
  const { journal } = turn.agent;
  const now = serverTime(turn.agent, turn.mono);
  for (const [jobId, job] of journal.jobs) {
    if (job.forgetAfter > now) continue;
    const open =
      job.grants.some((id) => journal.grants.get(id)?.end === null) ||
      journal.upgrades.get(jobId)?.step === 'running' ||
      journal.upgrades.get(jobId)?.step === 'waiting';
    if (open) continue;
    journal.jobs.delete(jobId);
    journal.upgrades.delete(jobId);
    for (const id of job.grants) {
      journal.grants.delete(id);
      journal.refused.delete(id);
    }
  }
};
