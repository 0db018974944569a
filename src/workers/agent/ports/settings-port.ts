import { membershipOf } from '../../../core/membership.ts';
import { optOutFor } from '../../../core/opt-out.ts';
import type { OptOut } from '../../../core/opt-out.ts';
import type { HostId } from '../../../core/ids.ts';
import type { HostServiceSettings, ServiceSettings } from '../../../core/service-settings.ts';
import type { SettingsPort } from '../agent-host.ts';

/** The host's own configuration, as the agent asks for it (design §12). */
export const createSettingsPort = (options: {
  hostId: HostId;
  /** For probes between restarts: which settings a container is looked at with. */
  services: readonly ServiceSettings[];
  hostSettings: ReadonlyMap<string, HostServiceSettings>;
  defaults: HostServiceSettings;
  hash: (settings: HostServiceSettings) => string;
  optOuts: readonly OptOut[];
}): SettingsPort => {
  const { hostId, services, hostSettings, defaults } = options;
  const hashes = Object.fromEntries(
    [...hostSettings, ['*', defaults] as const].map(([name, settings]) => [
      name,
      options.hash(settings),
    ]),
  );
  const serviceOf: SettingsPort['serviceOf'] = ({ name, groups }) => {
    const membership = membershipOf(services, { hostId, name, groups });
    return membership.kind === 'conflict' ? `${hostId}/unassigned` : membership.service;
  };
  return {
    of: (service) => hostSettings.get(service) ?? defaults,
    hashes: () => hashes,
    serviceOf,
    optOut: (container, wallMs) =>
      optOutFor(
        options.optOuts,
        { hostId, name: container.name, service: serviceOf(container) },
        wallMs,
      ),
  };
};
