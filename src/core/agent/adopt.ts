import { reached } from '../messages.ts';
import type { ControlRecord } from '../messages.ts';
import type { AgentEvent, Turn } from './agent.ts';
import { gone } from './activity.ts';
import type { AgentGrant } from './journal.ts';
import { audit } from './reports.ts';

type Suspect = ControlRecord['suspects'][number];

/** Whether another suspect of the same container had begun to stop it: that one is the container's to bring back. */
const isRetryOfAnother = (suspect: Suspect, suspects: readonly Suspect[]): boolean =>
  suspects.some(
    (other) =>
      other !== suspect && other.container === suspect.container && reached(other.step, 'stopping'),
  );

/** Containers of the former incarnation whose grants are void now; those that we had stopped are started (R15). */
export const onStrayStopsEnded = (
  turn: Turn,
  event: Extract<AgentEvent, { kind: 'stray-stops-ended' }>,
): void => {
  const { agent } = turn;
  const record = agent.record?.value;
  if (record === undefined || !agent.strayBusy) return;
  agent.strayBusy = false;
  // R16: a store that was restored meanwhile has forgotten this life, and names none of its suspects: it will.
  if (record.incarnation !== agent.journal.incarnation) return;
  agent.strayStopsEnded = true;
  agent.journal.settled = true;
  // What went down in between did so by the stops of the former incarnation: nobody's owner did it.
  for (const [name, state] of event.states)
    if (state === 'stopped')
      agent.journal.containers.set(name, {
        ...{ instance: null, identity: null, traces: null },
        ...{ ownerStopped: false, died: false },
      });
  for (const suspect of record.suspects) {
    const known =
      agent.journal.grants.has(suspect.grantId) || agent.journal.refused.has(suspect.grantId);
    if (known) continue;
    const state = event.states.get(suspect.container) ?? 'gone';
    const grant: AgentGrant = {
      order: {
        grantId: suspect.grantId,
        container: suspect.container,
        service: '',
        settingsHash: '',
        expect: { kind: 'retry', grantId: suspect.grantId },
        attempt: 1,
        beginBefore: 0,
        deadline: 0,
        byHand: true,
        onlyIfBroken: false,
        patched: null,
      },
      waveId: '',
      jobId: '',
      step: suspect.step,
      steps: [],
      found: null,
      drains: true,
      child: null,
      failed: false,
      adopted: true,
      tookOver: null,
      stopping: null,
      ending: null,
      verification: null,
      end: null,
    };
    agent.journal.grants.set(suspect.grantId, grant);
    if (state === 'gone') gone(turn, grant);
    else if (!reached(suspect.step, 'stopping')) {
      grant.ending = { outcome: 'void', reason: 'given to a former incarnation of the journal' };
      // R26: a retry that had not begun to stop it. The one that it retries is started, and its drain undone.
      if (isRetryOfAnother(suspect, record.suspects)) continue;
      grant.step = 'drained';
      if (state === 'stopped')
        turn.effects.push({
          kind: 'alert',
          message: `${suspect.container} is down and its journal is lost: start it, or park it (groundswell container park)`,
        });
    } else {
      grant.step = state === 'stopped' ? 'stopped' : 'started';
    }
  }
  audit(turn, {
    action: 'incarnation-begun',
    details: {
      incarnation: agent.journal.incarnation,
      suspects: record.suspects.map(({ grantId }) => grantId),
    },
  });
};
