import canonicalize from 'canonicalize';
import { createHash } from 'node:crypto';
import type { OptOut } from '../core/opt-out.ts';
import { HostServiceSettings, ServiceSettings } from '../core/service-settings.ts';
import type { Configuration, ConfiguredService } from './schema.ts';

const pick = (from: ConfiguredService, keys: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(from).filter(([key]) => keys.includes(key)));

/** The server's half of each service: who belongs to it, its budget, its mode (design §12). */
export const serverServices = ({ services }: Configuration): ServiceSettings[] =>
  services.map((service) =>
    ServiceSettings.parse(pick(service, Object.keys(ServiceSettings.shape))),
  );

/** What a host does for a service that it has no settings for, `<host>/unassigned` included. */
export const defaultHostSettings: HostServiceSettings = HostServiceSettings.parse({});

/** The host's half of a service: health, drain, commands and limits, or the defaults. */
export const hostSettingsOf = (
  { services }: Pick<Configuration, 'services'>,
  name: string,
): HostServiceSettings => {
  const service = services.find((candidate) => candidate.name === name);
  return service === undefined
    ? defaultHostSettings
    : HostServiceSettings.parse(pick(service, Object.keys(HostServiceSettings.shape)));
};

/** SHA-256, in hex, over the canonical JSON (RFC 8785) of a host's settings for a service. */
export const settingsHash = (settings: HostServiceSettings): string =>
  createHash('sha256')
    .update(canonicalize(settings) ?? '')
    .digest('hex');

/** Service name → hash of this host's settings for it; `*` stands for every service not named (R19). */
export const settingsHashes = (config: Pick<Configuration, 'services'>): Record<string, string> =>
  Object.fromEntries([
    ...config.services.map(({ name }): [string, string] => [
      name,
      settingsHash(hostSettingsOf(config, name)),
    ]),
    ['*', settingsHash(defaultHostSettings)],
  ]);

/** The opt-outs with their ends in wall-clock ms. */
export const optOutsOf = ({ optOut }: Pick<Configuration, 'optOut'>): OptOut[] =>
  optOut.map(({ until, ...rest }) => ({
    ...rest,
    until: until === undefined ? null : Date.parse(until),
  }));
