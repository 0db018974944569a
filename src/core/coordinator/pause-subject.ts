import type { PauseLevel } from '../messages.ts';

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
