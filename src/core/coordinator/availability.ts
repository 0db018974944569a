import type { ContainerId } from '../ids.ts';
import type { ContainerView } from '../messages.ts';
import type { Budget, CountOrPercent } from '../service-settings.ts';
import { barred } from './barred.ts';
import type { Container, Fleet } from './fleet.ts';
import { awaitsWord, isSilent } from './silence.ts';

/** Default of a service that nobody declared, such as `<host>/unassigned` (R18). */
const defaultBudget: Budget = { maxUnavailable: 1 };

const share = (value: CountOrPercent, members: number, round: (n: number) => number): number =>
  typeof value === 'number' ? value : round((Number(value.slice(0, -1)) * members) / 100);

/** R17: `maxUnavailable` rounds down, `minAvailable` rounds up, both over all members. */
export const allowedUnavailable = (budget: Budget, members: number): number =>
  'maxUnavailable' in budget
    ? Math.min(members, share(budget.maxUnavailable, members, Math.floor))
    : Math.max(0, members - share(budget.minAvailable, members, Math.ceil));

/** R25. */
export const diedText = 'its LXC monitor was killed, and it died with that';

const downBecause = ({ ownerStopped, died }: ContainerView): string =>
  ownerStopped ? 'stopped by its owner' : died ? diedText : 'stopped';

/** Why a container does not count as available; null: it does. */
export const unavailableBecause = (
  fleet: Fleet,
  container: Container,
  now: number,
): string | null => {
  const host = fleet.hosts.get(container.host);
  if (container.parked) return null;
  if (host === undefined) return 'its host is not enrolled';
  const decided = barred(host);
  if (decided !== null) return `its host is ${decided}`;
  if (!host.known) return 'its host has not reported yet';
  if (isSilent(fleet, host, now)) return 'its host is silent';
  if (container.view.state === 'stopped') return downBecause(container.view);
  if (container.view.state !== 'running') return `it is ${container.view.state}`;
  if (container.view.health === 'unhealthy') return `unhealthy: ${container.view.healthReason}`;
  if (container.view.health === 'unknown') {
    const { healthReason } = container.view;
    return `its health is unknown${healthReason === '' ? '' : `: ${healthReason}`}`;
  }
  return null;
};

export interface ServiceState {
  name: string;
  members: ContainerId[];
  /** Members that count for the budget: all but the parked. */
  counted: number;
  limit: number;
  /** Container → why it is unavailable, open grants included. */
  unavailable: Map<ContainerId, string>;
}

/**
 * Why it counts as unavailable for what is to be given now: also where its host may hold a grant that the store has
 * forgotten (R14, R16). Nothing that was given is asked back for that.
 */
const unavailableForGiving = (fleet: Fleet, container: Container, now: number): string | null => {
  const host = fleet.hosts.get(container.host);
  const why = unavailableBecause(fleet, container, now);
  return why === null && !container.parked && host !== undefined && awaitsWord(fleet, host, now)
    ? 'its host was not heard yet since the server started'
    : why;
};

/** R17 and R18: a grant counts for the service it was given for and for the container's present one. */
export const serviceState = (
  fleet: Fleet,
  name: string,
  now: number,
  { giving = false }: { giving?: boolean } = {},
): ServiceState => {
  const because = giving ? unavailableForGiving : unavailableBecause;
  const members: ContainerId[] = [];
  const unavailable = new Map<ContainerId, string>();
  for (const container of fleet.containers.values()) {
    if (container.service !== name || !container.view.onHostRoot) continue;
    members.push(container.id);
    const why = because(fleet, container, now);
    if (why !== null) unavailable.set(container.id, why);
  }
  for (const grant of fleet.grants.values()) {
    if (grant.kind === 'upgrade') {
      if (!grant.disruptive) continue;
      // A disruptive upgrade holds one unit of each service of its host (R29).
      if (members.some((id) => fleet.containers.get(id)?.host === grant.host))
        unavailable.set(`${grant.host}/upgrade`, 'its host is being upgraded');
    } else if (
      grant.container !== null &&
      (grant.service === name || members.includes(grant.container))
    )
      unavailable.set(
        grant.container,
        grant.failed ? `failed: ${grant.failReason ?? ''}` : 'being restarted',
      );
  }
  const counted = members.filter((id) => fleet.containers.get(id)?.parked !== true).length;
  const budget = fleet.services.get(name)?.budget ?? defaultBudget;
  return { name, members, counted, limit: allowedUnavailable(budget, counted), unavailable };
};
