import { reached } from '../messages.ts';
import type { UpgradeFinished } from '../messages.ts';
import type { AgentEvent, Turn } from './agent.ts';
import { heldBy, voided } from './checks.ts';
import { gateAfter } from './gate.ts';
import type { AgentUpgrade } from './journal.ts';
import { recordCounts, serverTime } from './record.ts';
import { audit, report } from './reports.ts';
import { foundNoRoom, waitForRoom, waitsForRoomNoMore } from './room.ts';

type Finished = Omit<UpgradeFinished, 'kind' | 'jobId' | 'grantId' | 'waveId'>;

const auditEnd = (turn: Turn, { order }: AgentUpgrade, finished: Finished): void => {
  audit(turn, {
    action: 'upgrade-ended',
    waveId: order.waveId,
    grantId: order.grantId,
    outcome: finished.ok ? 'done' : 'failed',
    details: {
      reason: finished.reason,
      gate: finished.gate.ok ? 'passed' : finished.gate.reason,
      changes: finished.changes.map(
        ({ name, arch, from, to }) => `${name}:${arch} ${from ?? '-'} -> ${to ?? '-'}`,
      ),
    },
  });
};

const end = (turn: Turn, upgrade: AgentUpgrade, finished: Finished): void => {
  upgrade.step = 'ended';
  upgrade.end = { outcome: finished.ok ? 'done' : 'failed', reason: finished.reason };
  turn.agent.roomMissed = 0;
  report(turn, {
    kind: 'upgrade-finished',
    jobId: upgrade.jobId,
    grantId: upgrade.order.grantId,
    waveId: upgrade.order.waveId,
    ...finished,
  });
};

/** Taken back before it began: void, so that the coordinator may order it anew (R20, R31). */
const notRun = (turn: Turn, upgrade: AgentUpgrade, reason: string): void => {
  upgrade.step = 'ended';
  upgrade.end = { outcome: 'void', reason };
  const { grantId, waveId } = upgrade.order;
  turn.agent.waiting.delete(grantId);
  turn.agent.awaitRoom.delete(upgrade.jobId);
  audit(turn, { action: 'upgrade-ended', waveId, grantId, outcome: 'void', details: { reason } });
  report(turn, {
    kind: 'restart-finished',
    grantId,
    outcome: 'void',
    verification: null,
    reason,
    steps: [],
    container: null,
  });
};

/** R29: one upgrade at a time, and only while no container of the host is between draining and undrained. */
export const advanceUpgrade = (turn: Turn): void => {
  const { agent, mono } = turn;
  if (agent.upgradeBusy) return;
  const open = [...agent.journal.upgrades.values()].filter(({ step }) => step !== 'ended');
  const running = open.find(({ step }) => step === 'running');
  if (running !== undefined) {
    // A crash left it under way: the transaction is found again and awaited, never begun twice.
    agent.upgradeBusy = true;
    turn.effects.push({
      kind: 'run-upgrade',
      jobId: running.jobId,
      order: running.order,
      resume: true,
    });
    return;
  }
  for (const upgrade of open) {
    const { order } = upgrade;
    const { waveId, services } = order;
    const record = agent.record?.value;
    const held = record === undefined ? null : heldBy(record, { waveId, services });
    if (upgrade.noRoom !== null) {
      const over = waitsForRoomNoMore(turn, upgrade, held);
      if (over === null) agent.waiting.set(order.grantId, upgrade.noRoom);
      else notRun(turn, upgrade, over);
    } else if (voided(agent, order.grantId)) notRun(turn, upgrade, 'taken back by the server');
    else if (agent.record !== null && serverTime(agent, mono) >= order.beginBefore)
      notRun(turn, upgrade, agent.waiting.get(order.grantId) ?? 'expired before it began');
    else if (record?.excluded === true) notRun(turn, upgrade, 'this host is excluded');
    else {
      const counts = recordCounts(agent, mono);
      const inFlight = [...agent.journal.grants.values()].find(
        (grant) => grant.end === null && !grant.failed && reached(grant.step, 'draining'),
      );
      if (counts.kind === 'deny') agent.waiting.set(order.grantId, counts.reason);
      else if (held !== null) agent.waiting.set(order.grantId, held);
      else if (inFlight !== undefined)
        agent.waiting.set(order.grantId, `${inFlight.order.container} is being restarted`);
      else if (
        [...agent.busy].some(
          ([id, activity]) =>
            activity === 'check' && agent.journal.grants.get(id)?.step === 'stopping',
        )
      )
        agent.waiting.set(order.grantId, 'a stop is being checked');
      else {
        upgrade.step = 'running';
        agent.upgradeBusy = true;
        agent.waiting.delete(order.grantId);
        audit(turn, {
          action: 'upgrade-begun',
          waveId: order.waveId,
          grantId: order.grantId,
          details: {
            mode: order.mode,
            packages: order.packages.map(({ name, version }) => `${name}=${version ?? 'newest'}`),
          },
        });
        turn.effects.push({ kind: 'run-upgrade', jobId: upgrade.jobId, order, resume: false });
        return;
      }
    }
  }
};

/** A crash kept it from beginning: whether it may begin now is another question than it was then. */
export const onUpgradeNotBegun = (
  turn: Turn,
  { jobId }: Extract<AgentEvent, { kind: 'upgrade-not-begun' }>,
): void => {
  const { agent } = turn;
  agent.upgradeBusy = false;
  const upgrade = agent.journal.upgrades.get(jobId);
  if (upgrade?.step !== 'running') return;
  upgrade.step = 'waiting';
  // I4: each begin has an outcome of its own, and the next may be long in coming.
  const { waveId, grantId } = upgrade.order;
  const details = { reason: 'the agent ended before it began; it begins when it may' };
  audit(turn, { action: 'upgrade-ended', waveId, grantId, outcome: 'void', details });
  // What worked before it is looked at anew when it begins.
  if (!agent.transactionOpen) gateAfter(turn, null);
};

export const onUpgradeOver = (
  turn: Turn,
  event: Extract<AgentEvent, { kind: 'upgrade-over' }>,
): void => {
  const { agent } = turn;
  const upgrade = agent.journal.upgrades.get(event.jobId);
  agent.upgradeBusy = false;
  // Also of one that a journal which was rolled back does not know: it has changed the host.
  gateAfter(turn, event.finished.gate);
  if (upgrade?.step !== 'running') return;
  if (event.finished.changes.length > 0) {
    agent.journal.transactions += 1;
    report(turn, {
      kind: 'host-upgraded',
      transaction: agent.journal.transactions,
      changes: event.finished.changes,
      origin: { by: 'job', jobId: event.jobId, waveId: upgrade.order.waveId },
      containers: event.containers,
      gate: null,
    });
  }
  auditEnd(turn, upgrade, event.finished);
  if (foundNoRoom(event.finished)) waitForRoom(turn, upgrade, event.finished.reason);
  else end(turn, upgrade, event.finished);
  turn.effects.push({ kind: 'observe', container: null });
};

/** R30: staleness is told only once the transaction is over, together with what changed. */
export const onTransaction = (
  turn: Turn,
  event: Extract<AgentEvent, { kind: 'transaction' }>,
): void => {
  const { agent } = turn;
  if (event.phase === 'open') {
    agent.transactionOpen = true;
    return;
  }
  agent.transactionOpen = false;
  const { gate } = event.upgraded;
  gateAfter(turn, gate);
  if (event.upgraded.changes.length === 0) return;
  agent.journal.transactions += 1;
  audit(turn, {
    action: 'host-upgraded',
    outcome: 'done',
    details: {
      origin: event.upgraded.origin.by,
      gate: gate === null ? null : gate.ok ? 'passed' : gate.reason,
      changes: event.upgraded.changes.map(
        ({ name, arch, from, to }) => `${name}:${arch} ${from ?? '-'} -> ${to ?? '-'}`,
      ),
    },
  });
  report(turn, {
    kind: 'host-upgraded',
    transaction: agent.journal.transactions,
    ...event.upgraded,
  });
};
