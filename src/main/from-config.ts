import { hostname } from 'node:os';
import { hashCanonical } from '../audit/chain.ts';
import type { Configuration } from '../config/schema.ts';
import { defaultFleetSettings } from '../core/coordinator/fleet.ts';
import type { FleetSettings } from '../core/coordinator/fleet.ts';
import { HostId } from '../core/ids.ts';
import { HostServiceSettings, ServiceSettings } from '../core/service-settings.ts';
import type { RedisAddress } from '../jobs/connections.ts';
import { createSettingsPort } from '../workers/agent/ports/settings-port.ts';
import type { SettingsPort } from '../workers/agent/agent-host.ts';

/** The host's id: as configured, else its name. Throws where the name cannot be one. */
export const hostIdFrom = ({ agent }: Configuration): HostId => {
  const id = HostId.safeParse(agent.hostId ?? hostname().toLowerCase());
  if (!id.success)
    throw new Error(
      `this host's name (${hostname()}) cannot be a host id: set agent.hostId in the configuration (${id.error.issues[0]?.message ?? ''})`,
    );
  return id.data;
};

const minutes = (time: string): number => {
  const [hours = 0, rest = 0] = time.split(':').map(Number);
  return hours * 60 + rest;
};

/** Figures that the coordinator goes by. */
export const fleetSettingsFrom = ({
  waves,
  agent,
  platforms,
  maintenanceWindow,
  disruptivePackages,
}: Configuration): FleetSettings => ({
  ...defaultFleetSettings,
  beginBeforeMs: waves.beginBeforeSeconds * 1000,
  deadlineMs: waves.deadlineSeconds * 1000,
  staleLimitMs: waves.staleLimitSeconds * 1000,
  maxFailures: waves.maxFailures,
  canaries: waves.canaries,
  hostCap: agent.hostCap,
  zoneCap: waves.zoneCap ?? null,
  fleetCap: waves.fleetCap ?? null,
  platformModes: Object.fromEntries(
    Object.entries(platforms).map(([platform, { mode }]) => [platform, mode]),
  ),
  window:
    maintenanceWindow === undefined
      ? null
      : { fromMinute: minutes(maintenanceWindow.from), toMinute: minutes(maintenanceWindow.to) },
  disruptivePackages,
});

/** Minute of the day where the maintenance window is meant: in its own time zone, else the machine's. */
export const minuteOfDayIn = ({ maintenanceWindow }: Configuration): ((date: Date) => number) => {
  const timeZone = maintenanceWindow?.timezone;
  const format = new Intl.DateTimeFormat('en-GB', {
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    ...(timeZone === undefined ? {} : { timeZone }),
  });
  return (date) => minutes(format.format(date));
};

const keysOf = (shape: object): string[] => Object.keys(shape);

const pick = (from: object, keys: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(from).filter(([key]) => keys.includes(key)));

/** The server's half of each service: who belongs to it, what budget, whose decision (design: trust). */
export const serverServices = ({ services }: Configuration): ServiceSettings[] =>
  services.map((service) => ServiceSettings.parse(pick(service, keysOf(ServiceSettings.shape))));

/** The host's half of each service: what is run here around a restart. */
export const hostServices = ({ services }: Configuration): Map<string, HostServiceSettings> =>
  new Map(
    services.map((service) => [
      service.name,
      HostServiceSettings.parse(pick(service, keysOf(HostServiceSettings.shape))),
    ]),
  );

export const settingsPortFrom = (config: Configuration): SettingsPort =>
  createSettingsPort({
    hostId: hostIdFrom(config),
    services: serverServices(config),
    hostSettings: hostServices(config),
    defaults: HostServiceSettings.parse({}),
    hash: hashCanonical,
    optOuts: config.optOut.map(({ host, container, service, reason, until }) => ({
      host,
      container,
      service,
      reason,
      until: until === undefined ? null : Date.parse(until),
    })),
  });

/** A Redis that is configured; null: the embedded one. */
export const redisFrom = ({ redis }: Configuration): RedisAddress | null =>
  redis.url === undefined ? null : { kind: 'url', url: redis.url };
