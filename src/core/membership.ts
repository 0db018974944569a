import { globCovers, globMatches } from './glob.ts';
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

type Match = ServiceSettings['match'][number];

const covers = (wide: Match, narrow: Match): boolean =>
  (wide.host === undefined || globCovers(wide.host, narrow.host ?? '*')) &&
  (wide.container === undefined || globCovers(wide.container, narrow.container ?? '*')) &&
  (wide.group === undefined || wide.group === narrow.group);

/**
 * R18: whether what `narrow` claims by one of its rules is certainly claimed by a rule of `wide`, whatever
 * containers there are. Answers the two rules; null: that depends on the containers.
 */
export const certainConflict = (
  wide: readonly Match[],
  narrow: readonly Match[],
): { wide: number; narrow: number } | null => {
  for (const [index, rule] of narrow.entries()) {
    const found = wide.findIndex((other) => covers(other, rule));
    if (found >= 0) return { wide: found, narrow: index };
  }
  return null;
};
