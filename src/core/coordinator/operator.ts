import type { Answer, OperatorAction } from './operator-action.ts';
import { restart, upgrade } from './operator-ask.ts';
import { freeze, unfreeze } from './operator-freezes.ts';
import { pause, resume } from './operator-holds.ts';
import { addHost, exclude, park } from './operator-hosts.ts';
import { retry } from './operator-retry.ts';
import { allowOutage, decideWave } from './operator-waves.ts';
import { removeHost } from './remove-host.ts';
import type { Turn } from './turn.ts';

export { OperatorAction } from './operator-action.ts';
export type { Answer } from './operator-action.ts';

/** Carry out what an operator asked for. */
export const applyOperator = (turn: Turn, actor: string, action: OperatorAction): Answer => {
  switch (action.action) {
    case 'approve':
    case 'decline':
    case 'stop':
      return decideWave(turn, actor, action);
    case 'pause':
      return pause(turn, actor, action.level, action.reason);
    case 'resume':
      return resume(turn, actor, action.level);
    case 'retry':
      return retry(turn, actor, action);
    case 'freeze':
      return freeze(turn, actor, action);
    case 'unfreeze':
      return unfreeze(turn, actor, action.id);
    case 'park':
    case 'unpark':
      return park(turn, actor, action.container, action.action === 'park');
    case 'restart':
      return restart(turn, actor, action);
    case 'upgrade':
      return upgrade(turn, actor, action);
    case 'allow-outage':
      return allowOutage(turn, actor, action);
    case 'host-add':
      return addHost(turn, actor, action);
    case 'host-exclude':
      return exclude(turn, actor, action.hostId, action.reason);
    case 'host-remove':
      return removeHost(turn, actor, action.hostId);
  }
};
