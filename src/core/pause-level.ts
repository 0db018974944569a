import type { HostId } from './ids.ts';
import type { PauseLevel } from './messages.ts';

/** What a pause may hold: a restart of one service, or an upgrade with the services of which it takes a unit (R29). */
export interface Pausable {
  waveId: string;
  /** Null: this host's; its record tells of no other's pauses. */
  hostId: HostId | null;
  services: readonly string[];
}

/** Whether a pause holds something: server and agent ask the same. */
export const pauseHolds = (level: PauseLevel, { waveId, hostId, services }: Pausable): boolean => {
  switch (level.level) {
    case 'fleet':
      return true;
    case 'wave':
      return level.waveId === waveId;
    case 'service':
      return services.includes(level.service);
    case 'host':
    case 'queue':
      return hostId === null || level.hostId === hostId;
  }
};

/** What lifts a pause. */
export const resumeCommand = (level: PauseLevel): string => {
  switch (level.level) {
    case 'fleet':
      return 'groundswell resume';
    case 'wave':
      return `groundswell resume --wave ${level.waveId}`;
    case 'service':
      return `groundswell resume --service ${level.service}`;
    case 'host':
    case 'queue':
      return `groundswell resume --${level.level} ${level.hostId}`;
  }
};
