import { hostIdOf } from '../config/host-id.ts';
import type { Configuration } from '../config/schema.ts';
import {
  defaultHostSettings,
  hostSettingsOf,
  optOutsOf,
  serverServices,
  settingsHash,
} from '../config/services.ts';
import type { RedisAddress } from '../jobs/connections.ts';
import { createSettingsPort } from '../workers/agent/ports/settings-port.ts';
import type { SettingsPort } from '../workers/agent/agent-host.ts';

/** The host's half of the configuration, as its agent asks for it. */
export const settingsPortFrom = (config: Configuration): SettingsPort =>
  createSettingsPort({
    hostId: hostIdOf(config),
    services: serverServices(config),
    hostSettings: new Map(config.services.map(({ name }) => [name, hostSettingsOf(config, name)])),
    defaults: defaultHostSettings,
    hash: settingsHash,
    optOuts: optOutsOf(config),
  });

/** A Redis that is configured; null: the embedded one. */
export const redisFrom = ({ redis: { url, sentinels } }: Configuration): RedisAddress | null => {
  if (url === undefined) return null;
  return sentinels === undefined ? { kind: 'url', url } : { kind: 'sentinel', url, sentinels };
};
