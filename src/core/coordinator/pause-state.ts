import type { HostId } from '../ids.ts';
import type { PauseLevel } from '../messages.ts';
import { pauseHolds } from '../pause-level.ts';
import type { Fleet, Grant } from './fleet.ts';
import { barred } from './barred.ts';
import { awaitsWord } from './silence.ts';
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

/** Hosts on which the store has a container of a service. */
const hostsOf = (fleet: Fleet, service: string): Set<HostId> =>
  new Set(
    [...fleet.containers.values()].flatMap((one) => (one.service === service ? [one.host] : [])),
  );

/**
 * Hosts that may hold grants of which this server does not know (R16): it has just begun, or its store was restored, and
 * they have not been heard since. These may hold some of containers that it does not know either.
 */
const untold = (fleet: Fleet, level: PauseLevel, now: number): string[] => {
  const waveId = level.level === 'wave' ? level.waveId : '';
  const having = level.level === 'service' ? hostsOf(fleet, level.service) : null;
  return [...fleet.hosts.values()].flatMap((host) => {
    const isUntold = awaitsWord(fleet, host, now) || host.resync;
    const concerned =
      having === null
        ? pauseHolds(level, { waveId, hostId: host.id, services: [] })
        : host.resync || having.has(host.id);
    return barred(host) === null && host.incarnation !== null && isUntold && concerned
      ? [
          `host ${host.id}, which was not heard since the server started (if its machine is off: groundswell host exclude ${host.id} --fenced)`,
        ]
      : [];
  });
};

/** R31: `pausing` until each grant concerned is ended or failed; only then `paused`, and I5 holds. */
export const pauseState = (
  fleet: Fleet,
  level: PauseLevel,
  now: number,
): { state: 'pausing' | 'paused'; inFlight: number; waitsFor: string[] } => {
  const open = grantsConcerned(fleet, level);
  const waitsFor = [
    ...open.map(({ container, host }) => container ?? host),
    ...untold(fleet, level, now),
  ];
  return { state: waitsFor.length === 0 ? 'paused' : 'pausing', inFlight: open.length, waitsFor };
};
