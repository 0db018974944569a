import { emptyFleet } from '../../core/coordinator/fleet.ts';
import type { Fleet, FleetSettings } from '../../core/coordinator/fleet.ts';
import { serviceOf } from '../../core/coordinator/service-of.ts';
import type { HostId } from '../../core/ids.ts';
import type { ServiceSettings } from '../../core/service-settings.ts';
import { lastAuditLink } from '../../store/audit-records.ts';
import { loadFleet } from '../../store/fleet-rows.ts';
import { readGeneration } from '../../store/meta.ts';
import type { Store } from '../../store/open-store.ts';

/** The fleet as the store has it, under the present configuration: members are assigned anew (R18). */
export const buildFleet = async (
  store: Store,
  epoch: number,
  settings: FleetSettings,
  services: readonly ServiceSettings[],
  isEnrolled: (hostId: HostId) => boolean,
): Promise<Fleet> => {
  const fleet = emptyFleet(settings, await readGeneration(store.db), epoch);
  for (const service of services) fleet.services.set(service.name, service);
  await loadFleet(store.db, fleet);
  for (const host of fleet.hosts.values()) {
    host.revoked = !isEnrolled(host.id);
    if (host.copied === null && host.incarnation !== null)
      host.copied = (await lastAuditLink(store.db, host.id, host.incarnation))?.seq ?? 0;
  }
  for (const container of fleet.containers.values()) {
    const { service, problem } = serviceOf(fleet.services.values(), container.host, container.view);
    container.service = service;
    container.membershipProblem = problem;
  }
  return fleet;
};
