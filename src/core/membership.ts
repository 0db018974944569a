import { globMatches } from './glob.ts';
import type { HostId } from './ids.ts';
import type { ServiceSettings } from './service-settings.ts';

/** What membership goes by. */
export interface Claimed {
  hostId: HostId;
  name: string;
  /** `lxc.group`. */
  groups: readonly string[];
}

export type Membership =
  | { kind: 'service'; service: string }
  /** No service claims it: `<host>/unassigned`, with a budget of one (R18). */
  | { kind: 'unassigned'; service: string }
  /** A configuration error: until it is mended, nothing may be granted for this container. */
  | { kind: 'conflict'; services: string[]; reason: string };

/** The service of containers on a host that nobody claims. */
export const unassignedService = (hostId: HostId): string => `${hostId}/unassigned`;

const claims = (
  { match }: Pick<ServiceSettings, 'match'>,
  { hostId, name, groups }: Claimed,
): boolean =>
  match.some(
    (rule) =>
      (rule.host === undefined || globMatches(rule.host, hostId)) &&
      (rule.container === undefined || globMatches(rule.container, name)) &&
      (rule.group === undefined || groups.includes(rule.group)),
  );

/** R18: the one service that claims a container, none, or a conflict that names all that do. */
export const membershipOf = (
  services: readonly Pick<ServiceSettings, 'name' | 'match'>[],
  container: Claimed,
): Membership => {
  const claimants = services.filter((service) => claims(service, container));
  const names = [...new Set(claimants.map(({ name }) => name))];
  const [only] = names;
  if (only === undefined)
    return { kind: 'unassigned', service: unassignedService(container.hostId) };
  if (names.length === 1) return { kind: 'service', service: only };
  return {
    kind: 'conflict',
    services: names,
    reason: `${container.hostId}/${container.name} is claimed by the services ${names.join(' and ')}: change their \`match\` so that only one does`,
  };
};
