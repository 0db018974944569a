import { defaultFleetSettings } from '../core/coordinator/fleet.ts';
import type { FleetSettings } from '../core/coordinator/fleet.ts';
import type { PolicyRule } from '../core/coordinator/policy.ts';
import type { Configuration } from './schema.ts';

const minuteOf = (time: string): number => {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return hours * 60 + minutes;
};

type ConfiguredPlatform = Configuration['platforms'][string];

const ofPlatforms = <Value>(
  { platforms }: Configuration,
  of: (platform: ConfiguredPlatform, id: string) => Value,
): Record<string, Value> =>
  Object.fromEntries(Object.entries(platforms).map(([id, platform]) => [id, of(platform, id)]));

const hourMs = 3_600_000;

const ruleOf = (rule: ConfiguredPlatform['policy'][number]): PolicyRule => ({
  severities: rule.severity ?? null,
  core: rule.core ?? null,
  exploited: rule.exploited ?? null,
  kinds: rule.kind,
  mode: rule.mode,
  minAgeMs: rule.minAgeHours * hourMs,
  earliestMs: rule.earliestHours * hourMs,
  latestMs: rule.latestHours === undefined ? null : rule.latestHours * hourMs,
  whenMirrorMoved: rule.whenMirrorMoved,
});

/** Names of packages, by platform. */
export type CorePackages = Readonly<Record<string, readonly string[]>>;

/**
 * What the coordinator goes by, in its own units. `manifests` has the core packages of platforms that the configuration names and of
 * which there is a manifest: they count where it names none of its own.
 */
export const fleetSettingsOf = (config: Configuration, manifests: CorePackages): FleetSettings => {
  const { waves, maintenanceWindow: window } = config;
  return {
    ...defaultFleetSettings,
    beginBeforeMs: waves.beginBeforeSeconds * 1_000,
    deadlineMs: waves.deadlineSeconds * 1_000,
    staleLimitMs: waves.staleLimitSeconds * 1_000,
    maxFailures: waves.maxFailures,
    canaries: waves.canaries,
    hostCap: config.agent.hostCap,
    zoneCap: waves.zoneCap ?? null,
    fleetCap: waves.fleetCap ?? null,
    platformModes: ofPlatforms(config, ({ mode }) => mode),
    window:
      window === undefined
        ? null
        : {
            fromMinute: minuteOf(window.from),
            toMinute: minuteOf(window.to),
            timezone: window.timezone,
          },
    disruptivePackages: config.disruptivePackages,
    policies: ofPlatforms(config, ({ policy }) => policy.map(ruleOf)),
    corePackages: ofPlatforms(
      config,
      ({ corePackages }, id) => new Set(corePackages ?? manifests[id] ?? []),
    ),
  };
};

/** Making a formatter costs milliseconds, and every decision asks for the time of day. */
const clocks = new Map<string | undefined, Intl.DateTimeFormat>();
const clockOf = (timeZone: string | undefined): Intl.DateTimeFormat => {
  const known = clocks.get(timeZone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat('en', {
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZone,
  });
  clocks.set(timeZone, made);
  return made;
};

/** Minute of the day (0 to 1439) at `wallMs` in the window's time zone, else in the machine's own. */
export const minuteOfDay = (
  wallMs: number,
  { maintenanceWindow }: Pick<Configuration, 'maintenanceWindow'>,
): number => {
  const parts = clockOf(maintenanceWindow?.timezone).formatToParts(wallMs);
  const part = (type: string): number =>
    Number(parts.find((candidate) => candidate.type === type)?.value);
  return part('hour') * 60 + part('minute');
};
