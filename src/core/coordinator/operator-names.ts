import type { PauseLevel } from '../messages.ts';
import type { Container, Fleet, Host, Wave } from './fleet.ts';

/** The host of that id, or why there is none. */
export const hostNamed = (fleet: Fleet, hostId: string): Host | string =>
  fleet.hosts.get(hostId) ?? `there is no host ${hostId}; see: groundswell hosts`;

/** Why there is no service of that name; null: there is. Declared or not: `<host>/unassigned` has members, too. */
export const serviceProblem = (fleet: Fleet, name: string): string | null =>
  fleet.services.has(name) || [...fleet.containers.values()].some(({ service }) => service === name)
    ? null
    : `there is no service ${name}; see: groundswell services`;

/** The wave of that id, or why there is none. */
export const waveNamed = (fleet: Fleet, waveId: string): Wave | string =>
  fleet.waves.get(waveId) ?? `there is no wave ${waveId}; see: groundswell waves`;

/** The wave of that id, or why nothing can be decided about it any more. */
export const openWaveNamed = (fleet: Fleet, waveId: string): Wave | string => {
  const wave = waveNamed(fleet, waveId);
  if (typeof wave === 'string' || wave.state === 'open') return wave;
  return wave.state === 'stopping'
    ? `wave ${waveId} is stopping: nothing of it begins any more`
    : `wave ${waveId} is over: it is ${wave.state}`;
};

/** The container of that id, or why there is none. */
export const containerNamed = (fleet: Fleet, id: string): Container | string =>
  fleet.containers.get(id) ?? `there is no container ${id}; see: groundswell containers`;

const problemOf = (named: object | string): string | null =>
  typeof named === 'string' ? named : null;

/** Why a pause of this would hold nothing; null: it is there. */
export const levelProblem = (fleet: Fleet, level: PauseLevel): string | null => {
  switch (level.level) {
    case 'fleet':
      return null;
    case 'wave':
      return problemOf(openWaveNamed(fleet, level.waveId));
    case 'service':
      return serviceProblem(fleet, level.service);
    case 'host':
    case 'queue':
      return problemOf(hostNamed(fleet, level.hostId));
  }
};
