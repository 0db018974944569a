import type { Container, Fleet, Grant, Host } from '../../src/core/coordinator/fleet.ts';
import type { Budget, CountOrPercent } from '../../src/core/service-settings.ts';
import { Violation } from './world.ts';

const share = (value: CountOrPercent, members: number): number =>
  typeof value === 'number' ? value : (Number(value.slice(0, -1)) * members) / 100;

/** How many of so many members may be away (R17). */
export const limitOf = (budget: Budget, members: number): number =>
  'maxUnavailable' in budget
    ? Math.floor(share(budget.maxUnavailable, members))
    : members - Math.ceil(share(budget.minAvailable, members));

const isKnown = (fleet: Fleet, host: Host | undefined, now: number): boolean =>
  host?.known === true &&
  host.state === 'enrolled' &&
  host.heardAt !== null &&
  now - host.heardAt <= fleet.settings.staleLimitMs;

const serves = (fleet: Fleet, { host, view }: Container, now: number): boolean =>
  isKnown(fleet, fleet.hosts.get(host), now) &&
  view.state === 'running' &&
  view.health === 'healthy';

/** What a grant was rightly given for beyond the budget (R17). */
const isBeyond = (fleet: Fleet, { expect, onlyIfBroken, waveId, service }: Grant): boolean =>
  expect?.kind === 'died' ||
  onlyIfBroken ||
  (fleet.waves.get(waveId)?.outagesAllowed.includes(service ?? '') ?? false);

/** Members of a service that are not parked: all of them, and those that are away, with what holds a unit for them. */
export const standingOf = (
  fleet: Fleet,
  service: string,
  now: number,
): { members: number; away: Set<string> } => {
  const away = new Set<string>();
  const hosts = new Set<string>();
  let members = 0;
  for (const container of fleet.containers.values()) {
    if (container.service !== service) continue;
    hosts.add(container.host);
    if (container.parked) continue;
    members += 1;
    if (!serves(fleet, container, now)) away.add(container.id);
  }
  for (const { kind, container, service: of, host, disruptive } of fleet.grants.values()) {
    if (kind === 'upgrade' && disruptive && hosts.has(host)) away.add(`the upgrade of ${host}`);
    if (container === null) continue;
    if (of === service || fleet.containers.get(container)?.service === service) away.add(container);
  }
  return { members, away };
};

/** A retry stands beside the grant that it takes over from (R26). */
const isNoRetry = ({ kind, expect }: Grant): boolean =>
  kind === 'restart' && expect?.kind !== 'retry';

const checkCaps = (fleet: Fleet, { host: id }: Grant): void => {
  const host = fleet.hosts.get(id);
  const { hostCap, zoneCap, fleetCap } = fleet.settings;
  const open = [...fleet.grants.values()].filter(isNoRetry);
  const here = open.filter((grant) => grant.host === id).length;
  if (here > (host?.cap ?? hostCap))
    throw new Violation('I6', `host ${id} has ${here} restarts granted`);
  const inZone = open.filter((grant) => fleet.hosts.get(grant.host)?.zone === host?.zone).length;
  if (zoneCap !== null && inZone > zoneCap)
    throw new Violation('I6', `zone ${host?.zone ?? ''} has ${inZone} restarts granted`);
  if (fleetCap !== null && open.length > fleetCap)
    throw new Violation('I6', `the fleet has ${open.length} restarts granted`);
};

/**
 * I2, I6 and R29, from the bare facts that the coordinator holds, right after it has given grants (retries apart): whatever
 * is not known to serve is unavailable.
 */
export const checkGiven = (fleet: Fleet, now: number, given: readonly Grant[]): void => {
  for (const service of new Set(given.map((grant) => grant.service ?? ''))) {
    const { members, away } = standingOf(fleet, service, now);
    const ours = given.filter((grant) => grant.service === service && !isBeyond(fleet, grant));
    if (ours.length === 0) continue;
    // What was given beyond the budget in the same moment came after these.
    for (const grant of given)
      if (isBeyond(fleet, grant) && grant.expect?.kind !== 'died' && grant.container !== null)
        away.delete(grant.container);
    const budget = fleet.services.get(service)?.budget ?? { maxUnavailable: 1 };
    if (away.size > limitOf(budget, members))
      throw new Violation(
        'I2',
        `${ours.map(({ container }) => container ?? '').join(', ')} granted with ${[...away].join(', ')} away`,
      );
  }
  for (const grant of given) {
    if (!grant.byHand && (fleet.hosts.get(grant.host)?.gate ?? null) !== null)
      throw new Violation('R29', `${grant.container ?? ''} granted, its host is broken`);
    checkCaps(fleet, grant);
  }
};
