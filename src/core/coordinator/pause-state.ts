import type { PauseLevel } from '../messages.ts';
import { pauseHolds } from '../pause-level.ts';
import type { Fleet, Grant } from './fleet.ts';
import { servicesOn } from './services-on.ts';

/** A restart counts for the service it was given for and for the container's present one (R18). */
const servicesOf = (
  fleet: Fleet,
  { kind, container, service, host, disruptive }: Grant,
): string[] =>
  kind === 'upgrade'
    ? disruptive
      ? servicesOn(fleet, host)
      : []
    : [service, fleet.containers.get(container ?? '')?.service].filter(
        (one) => one !== null && one !== undefined,
      );

/** Open grants that a pause is about; failed ones are over for it (R31). */
export const grantsConcerned = (fleet: Fleet, level: PauseLevel): Grant[] =>
  [...fleet.grants.values()].filter(
    (grant) =>
      !grant.failed &&
      pauseHolds(level, {
        waveId: grant.waveId,
        hostId: grant.host,
        services: servicesOf(fleet, grant),
      }),
  );

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
