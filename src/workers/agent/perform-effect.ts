import type { AgentEffect } from '../../core/agent/agent.ts';
import type { AgentGrant } from '../../core/agent/journal.ts';
import { errorText } from '../../core/error-text.ts';
import type { ContainerName } from '../../core/ids.ts';
import type { Life } from './agent-loop.ts';
import { askGate } from './effects/ask-gate.ts';
import { awaitRoom } from './effects/await-room.ts';
import { check } from './effects/check.ts';
import { drain, undrain } from './effects/drain.ts';
import { runUpgrade } from './effects/run-upgrade.ts';
import { start } from './effects/start.ts';
import { awaitStrayStop, endStrayStops, stop } from './effects/stop.ts';
import { verify } from './effects/verify.ts';
import { watchHealth } from './effects/watch-health.ts';
import type { Touched } from './look-at-containers.ts';
import type { Work } from './work.ts';

export interface PerformPorts {
  work: Work;
  touched: Touched;
  sendReports: () => void;
  observe: (container: ContainerName | null) => void;
  heartbeat: () => void;
  takeInventory: (asked: { refresh: boolean }) => void;
}

/** Begin one effect of a turn that is written; its outcome comes back as an event. Never throws. */
export const performEffect = (ports: PerformPorts, effect: AgentEffect, life: Life): void => {
  const { work, touched } = ports;
  const begin = (promise: Promise<void>): void => {
    promise.catch((error: unknown) => {
      work.alert(`${effect.kind} ended in an error: ${errorText(error)}`);
    });
  };
  /** What changes a container: one thing at a time, and what is seen meanwhile is out of date. */
  const inLane = ({ order: { container } }: AgentGrant, act: () => Promise<void>): Promise<void> =>
    work.lanes(container, async () => {
      touched.touch(container);
      try {
        await act();
      } finally {
        touched.touch(container);
      }
    });
  switch (effect.kind) {
    case 'check':
      return begin(check(work, effect, life));
    case 'drain':
      return begin(inLane(effect.grant, () => drain(work, effect.grant, life)));
    case 'stop':
      return begin(inLane(effect.grant, () => stop(work, effect.grant, life)));
    case 'await-stray-stop':
      return begin(inLane(effect.grant, () => awaitStrayStop(work, effect.grant, life)));
    case 'start':
      return begin(inLane(effect.grant, () => start(work, effect.grant, life)));
    case 'watch-health':
      return begin(watchHealth(work, effect, life));
    case 'undrain':
      return begin(inLane(effect.grant, () => undrain(work, effect.grant, life)));
    case 'verify':
      return begin(verify(work, effect, life));
    case 'end-stray-stops':
      return begin(endStrayStops(work, life));
    case 'run-upgrade':
      return begin(runUpgrade(work, effect, life));
    case 'await-room':
      return begin(awaitRoom(work, effect, life));
    case 'ask-gate':
      return begin(askGate(work, effect.before, life));
    case 'send-reports':
      return ports.sendReports();
    case 'observe':
      return ports.observe(effect.container);
    case 'heartbeat':
      return ports.heartbeat();
    case 'take-inventory':
      return ports.takeInventory(effect);
    case 'alert':
      return work.alert(effect.message);
  }
};
