import type { Fleet } from './fleet.ts';
import type { OperatorAction } from './operator-action.ts';
import { scopeSubject } from './operator-retry.ts';
import { pauseSubject } from './pause-subject.ts';
import type { ControlAudit } from './turn.ts';

/** One is named, of more how many there are. */
const named = (kind: string, ids: readonly string[]): string =>
  ids.length === 1 ? `${kind} ${ids.join()}` : `${ids.length} ${kind}s`;

/** As records of what was done name it. */
const subjectOf = (action: OperatorAction): string => {
  switch (action.action) {
    case 'approve':
    case 'decline':
    case 'stop':
    case 'allow-outage':
      return `wave ${action.waveId}`;
    case 'pause':
    case 'resume':
      return pauseSubject(action.level);
    case 'retry':
      return scopeSubject(action.scope);
    case 'freeze':
      return 'fleet';
    case 'unfreeze':
      return `freeze ${action.id}`;
    case 'park':
    case 'unpark':
      return `container ${action.container}`;
    case 'restart':
      return named('container', action.containers);
    case 'upgrade':
      return named('host', action.hosts);
    case 'host-add':
    case 'host-exclude':
    case 'host-remove':
      return `host ${action.hostId}`;
  }
};

const waveOf = (action: OperatorAction): string | null => {
  if ('waveId' in action) return action.waveId;
  if ('level' in action && action.level.level === 'wave') return action.level.waveId;
  return 'scope' in action && action.scope.of === 'wave' ? action.scope.waveId : null;
};

/** Design §10: that somebody asked for something, and why it was not done. */
export const refusedAction = (
  { waves }: Fleet,
  actor: string,
  { action, reason }: { action: OperatorAction; reason: string },
): Pick<ControlAudit, 'action' | 'actor' | 'subject' | 'waveId' | 'outcome' | 'details'> => {
  const waveId = waveOf(action);
  return {
    ...{ action: 'action-refused', actor, subject: subjectOf(action), outcome: 'refused' },
    waveId: waveId !== null && waves.has(waveId) ? waveId : null,
    details: { asked: action.action, reason },
  };
};
