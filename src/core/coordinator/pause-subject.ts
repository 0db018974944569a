import type { PauseLevel } from '../messages.ts';
import { resumeCommand } from '../pause-level.ts';
import type { Pause } from './fleet.ts';

/** What a pause is about, in words: for audit records, `status` and `plan` alike. */
export const pauseSubject = (level: PauseLevel): string => {
  switch (level.level) {
    case 'fleet':
      return 'fleet';
    case 'wave':
      return `wave ${level.waveId}`;
    case 'service':
      return `service ${level.service}`;
    case 'host':
      return `host ${level.hostId}`;
    case 'queue':
      return `queue of ${level.hostId}`;
  }
};

/** Who holds something and what lifts that: why it does not begin. */
export const pauseText = ({ level, actor, reason }: Pause): string =>
  `${pauseSubject(level)} is paused by ${actor}${reason === '' ? '' : `: ${reason}`}; ${resumeCommand(level)}`;
