import type { HostId } from '../ids.ts';
import type { Fleet } from './fleet.ts';

/** Services with a container on a host: a disruptive upgrade takes a unit of each (R29). */
export const servicesOn = (fleet: Fleet, hostId: HostId): string[] => [
  ...new Set(
    [...fleet.containers.values()]
      .filter(({ host }) => host === hostId)
      .map(({ service }) => service),
  ),
];
