import type { ContainerName } from '../ids.ts';
import type { Instance } from '../observation.ts';
import type { Agent, AgentEvent, Turn } from './agent.ts';
import { fail, finish, gone, later, retryMs, stopped } from './activity.ts';
import { endGrant, enter } from './reports.ts';

/** First and largest pause between two tries at starting a container, in ms (R25). */
const startBackoffMs = { first: 1_000, largest: 60_000 };

/** A package transaction is noticed well within this, in ms: what it made stale is seen again after it. */
const lookAgainMs = 5_000;

export const onStopOver = (turn: Turn, event: Extract<AgentEvent, { kind: 'stop-over' }>): void => {
  const grant = finish(turn, event.grantId, 'stop');
  if (grant === null) return;
  grant.child = null;
  if (event.state === 'gone') gone(turn, grant);
  // Else it is still there, or there again as another instance: the next check tells them apart (R24).
  else if (event.state === 'stopped') stopped(turn, grant);
};

/** R25: how one that died goes down the next time is told by its new instance. */
const cameBack = (turn: Turn, name: ContainerName, instance: Instance | null): void => {
  const { containers } = turn.agent.journal;
  const known = containers.get(name);
  if (known?.died === true) containers.set(name, { ...known, instance, died: false, traces: null });
};

export const onStartOver = (
  turn: Turn,
  event: Extract<AgentEvent, { kind: 'start-over' }>,
): void => {
  const grant = finish(turn, event.grantId, 'start');
  if (grant === null) return;
  const id = event.grantId;
  if (event.state === 'gone') return gone(turn, grant);
  if (event.state === 'running') {
    cameBack(turn, grant.order.container, event.instance);
    enter(turn, grant, 'started');
    return;
  }
  const attempts = (turn.agent.attempts.get(id) ?? 0) + 1;
  turn.agent.attempts.set(id, attempts);
  const pauseMs = Math.min(
    startBackoffMs.first * 2 ** Math.min(attempts - 1, 10),
    startBackoffMs.largest,
  );
  const reason = `it does not start: ${event.reason}; tried ${attempts} time${attempts === 1 ? '' : 's'}`;
  if (!grant.failed) fail(turn, grant, reason, null);
  later(turn, grant, reason, pauseMs);
};

export const onHealth = (turn: Turn, event: Extract<AgentEvent, { kind: 'health' }>): void => {
  const grant = finish(turn, event.grantId, 'health');
  if (grant === null) return;
  switch (event.result) {
    case 'healthy':
      enter(turn, grant, 'healthy');
      break;
    case 'deadline':
      if (!grant.failed) fail(turn, grant, event.reason, null);
      break;
    case 'down':
      // R25: it was never healthy since our stop, so starting it is still ours.
      grant.step = 'stopped';
      later(turn, grant, event.reason, startBackoffMs.first);
      return;
    case 'gone':
      gone(turn, grant);
      return;
  }
};

export const onUndrained = (
  turn: Turn,
  event: Extract<AgentEvent, { kind: 'undrained' }>,
): void => {
  const grant = finish(turn, event.grantId, 'undrain');
  if (grant === null) return;
  if (!event.ok) {
    // L3: an undrain that fails is tried for ever, and alerted.
    turn.effects.push({
      kind: 'alert',
      message: `${grant.order.container}: cannot undo the drain: ${event.reason}`,
    });
    return later(turn, grant, `cannot undo the drain: ${event.reason}`, retryMs);
  }
  if (grant.ending !== null)
    return endGrant(turn, grant, grant.ending.outcome, grant.ending.reason, null);
  enter(turn, grant, 'undrained');
};

/**
 * R30: packages change, or have changed since it was first seen with old code: whether its restart was in vain cannot
 * be known. What runs old code when they are at rest is told with the transaction.
 */
const packagesChange = (
  { transactionOpen, upgradeBusy, seenOld, journal }: Agent,
  id: string,
): boolean =>
  transactionOpen ||
  upgradeBusy ||
  (seenOld.get(id) ?? journal.transactions) !== journal.transactions;

export const onVerified = (turn: Turn, event: Extract<AgentEvent, { kind: 'verified' }>): void => {
  const { agent } = turn;
  const grant = finish(turn, event.grantId, 'verify');
  // Looked into before the transaction that has just been told of: looked into again.
  if (grant === null || event.transactions !== agent.journal.transactions) return;
  const id = event.grantId;
  const { verification, container } = event;
  grant.verification = verification;
  const inVain = verification === 'stale' || verification === 'unknown';
  // R15: whether the lost incarnation restarted it nobody knows, so old code here is no failed attempt (R27).
  if (grant.adopted && verification === 'stale')
    return endGrant(turn, grant, 'void', 'its journal was lost before it was restarted', container);
  if (inVain && (!event.atRest || packagesChange(agent, id)))
    return endGrant(turn, grant, 'void', 'packages were changed while it was restarted', container);
  if (inVain && !agent.seenOld.has(id)) {
    agent.seenOld.set(id, agent.journal.transactions);
    const what = verification === 'stale' ? 'it runs old code' : 'what it runs cannot be read';
    return later(turn, grant, `${what} after its restart: looked at once more`, lookAgainMs);
  }
  endGrant(turn, grant, 'done', '', container);
};
