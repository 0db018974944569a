import type { ContainerView } from '../messages.ts';
import { membershipOf } from '../membership.ts';
import type { ServiceSettings } from '../service-settings.ts';

/**
 * R18: the service of a container. One that two claim counts as nobody's, and `problem` says which two:
 * it is granted nothing until the configuration is mended.
 */
export const serviceOf = (
  services: Iterable<ServiceSettings>,
  hostId: string,
  { name, groups }: Pick<ContainerView, 'name' | 'groups'>,
): { service: string; problem: string | null } => {
  const membership = membershipOf([...services], { hostId, name, groups });
  return membership.kind === 'conflict'
    ? { service: `${hostId}/unassigned`, problem: membership.reason }
    : { service: membership.service, problem: null };
};
