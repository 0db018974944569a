import type { PauseLevel } from '../messages.ts';
import type { Fleet, Grant } from './fleet.ts';

/** Open grants that a pause is about; failed ones are over for it (R31). */
export const grantsConcerned = (fleet: Fleet, level: PauseLevel): Grant[] =>
  [...fleet.grants.values()].filter((grant) => {
    if (grant.failed) return false;
    switch (level.level) {
      case 'fleet':
        return true;
      case 'wave':
        return grant.waveId === level.waveId;
      case 'service':
        return grant.service === level.service;
      case 'host':
      case 'queue':
        return grant.host === level.hostId;
    }
  });

/** R31: `pausing` until each grant concerned is ended or failed; only then `paused`, and I5 holds. */
export const pauseState = (
  fleet: Fleet,
  level: PauseLevel,
): { state: 'pausing' | 'paused'; inFlight: number; waitsFor: string[] } => {
  const open = grantsConcerned(fleet, level);
  return {
    state: open.length === 0 ? 'paused' : 'pausing',
    inFlight: open.length,
    waitsFor: open.map(({ container, host }) => container ?? host),
  };
};
