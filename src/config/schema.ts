import { z } from 'zod';
import { AdvisoryKind, Severity } from '../core/advisories/advisory.ts';
import { renewEveryMs } from '../core/coordinator/control-record.ts';
import { HostId, ZoneName } from '../core/ids.ts';
import { HostServiceSettings, Mode, NameGlob, ServiceSettings } from '../core/service-settings.ts';
import { AbsolutePath, OwnDirectory } from './own-directory.ts';

const ServiceGlob = z
  .string()
  .regex(/^[A-Za-z0-9_./*?-]+$/, 'want a name; * stands for any characters, ? for one');

const ServerSection = z.strictObject({
  /** Socket of the HTTP API: root and the group `groundswell` may use it. */
  socket: AbsolutePath.default('/run/groundswell/api.sock'),
  notify: z
    .strictObject({
      /** Argument vector; gets the notice as JSON on standard input. */
      command: z.array(z.string()).min(1).optional(),
      /** Gets the notice as a JSON POST. */
      webhook: z.url({ protocol: /^https?$/, error: 'want an http or https address' }).optional(),
    })
    .prefault({}),
  audit: z
    .strictObject({
      /** Where each checkpoint of the audit trail is sent, so that what was written cannot be written anew. */
      anchors: z
        .strictObject({
          /** One line of JSON each is appended; best on a file system of another machine. */
          file: AbsolutePath.optional(),
          /** Facility of the system log. */
          syslog: z.enum(['auth', 'authpriv', 'daemon', 'user', 'local0', 'local1']).optional(),
          /** Gets each as a JSON POST. */
          webhook: z
            .url({ protocol: /^https?$/, error: 'want an http or https address' })
            .optional(),
        })
        .prefault({}),
      /** Older records are moved out of the store into compressed files; null: never. */
      sealAfterDays: z.int().min(1).nullable().default(90),
    })
    .prefault({}),
});

const AgentSection = z.strictObject({
  /** Default: the host's name. */
  hostId: HostId.optional(),
  zone: ZoneName.default('default'),
  /** Where LXC keeps its containers (lxc.lxcpath). */
  lxcPath: AbsolutePath.default('/var/lib/lxc'),
  /** Restarts at once on this host. */
  hostCap: z.int().min(1).default(2),
  /** Where the hooks of apt, dpkg and dnf leave their notes. */
  spoolDirectory: OwnDirectory.default('/var/spool/groundswell'),
  /** How often the health of each container is looked at. */
  healthIntervalMs: z.int().min(100).default(5_000),
  /** How often the package database is compared where no hook has told of a change. */
  packageCheckSeconds: z.int().min(1).default(180),
  /** How often everything is reported, changed or not. */
  observeSeconds: z.int().min(1).default(180),
  /** How often the indexes of the host's repositories are fetched; 0: only when an advisory waits for its fix. */
  refreshSeconds: z.int().min(0).default(3_600),
});

/** One entry of `services`: what the server decides by and what the host does, side by side. */
export const ConfiguredService = z.strictObject({
  ...ServiceSettings.shape,
  ...HostServiceSettings.shape,
});
export type ConfiguredService = z.infer<typeof ConfiguredService>;

const timeOfDay = z
  .string()
  .regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/, 'want a time of day in quotes, such as "02:00"');

const isTimeZone = (name: string): boolean => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
};

const MaintenanceWindow = z
  .strictObject({
    from: timeOfDay,
    to: timeOfDay,
    /** Default: the server's own. */
    timezone: z
      .string()
      .refine(isTimeZone, 'want a time zone such as Europe/Berlin or UTC')
      .optional(),
  })
  .refine(({ from, to }) => from !== to, {
    path: ['to'],
    error:
      'want another time than `from`: leave maintenanceWindow out to allow restarts at any time',
  });

/** Whether there is such a day: `Date.parse` takes 31 February for 3 March. */
const isMoment = (text: string): boolean => {
  const day = text.slice(0, 10);
  const midnight = Date.parse(day);
  return (
    Number.isFinite(Date.parse(text)) &&
    Number.isFinite(midnight) &&
    new Date(midnight).toISOString().startsWith(day)
  );
};

/** A date alone means its first moment, in UTC. */
const Moment = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2}))?$/, {
    error: 'want a date such as 2027-01-31, or a moment such as 2027-01-31T06:00:00+01:00',
    abort: true,
  })
  .refine(isMoment, 'there is no such date');

const ConfiguredOptOut = z
  .strictObject({
    host: NameGlob.optional(),
    container: NameGlob.optional(),
    service: ServiceGlob.optional(),
    /** Not restarted before this; default: never restarted. */
    until: Moment.optional(),
    reason: z.string().min(1),
  })
  .refine(
    ({ host, container, service }) => (host ?? container ?? service) !== undefined,
    'name a host, a container or a service (or several, then all must match)',
  );

/** The time between two records of an idle host, and what its answer may take. */
const shortestStaleLimitSeconds = renewEveryMs.quiet / 1_000 + 15;

const Waves = z.strictObject({
  /** A wave pauses when more restarts than this have failed. */
  maxFailures: z.int().min(0).default(0),
  /** Restarts that must end well before the rest of a wave begins. */
  canaries: z.int().min(0).default(1),
  /** A permission that was not used for this long is taken back. */
  beginBeforeSeconds: z.int().min(1).default(30),
  /** A restart that is not over after this time counts as an error until it is. */
  deadlineSeconds: z.int().min(1).default(600),
  /**
   * A host that was not heard for this long is unknown, and its containers count as unavailable. What is heard of an idle
   * one answers its record, which is renewed once a minute (R12): with less it would be silent and heard by turns.
   */
  staleLimitSeconds: z
    .int()
    .refine(
      (seconds) => seconds >= shortestStaleLimitSeconds,
      `want at least ${shortestStaleLimitSeconds}: idle hosts are heard once a minute, and would be taken for silent in between`,
    )
    .default(90),
  /** Restarts at once in one zone, and in the fleet; default: no limit but the services' own. */
  zoneCap: z.int().min(1).optional(),
  fleetCap: z.int().min(1).optional(),
});

/** Kinds of feeds; what they are read by is `producers/advisories`. */
export const feedSources = [
  ...(['apt-security', 'debian-lists', 'debian-tracker', 'ubuntu-notices', 'osv'] as const),
  ...(['alma-errata', 'rocky-errata', 'redhat-csaf', 'updateinfo', 'kev'] as const),
] as const;

const ConfiguredFeed = z
  .strictObject({
    /** As it is called in `groundswell feeds`; default: its source's name. */
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'want a name such as debian-security')
      .optional(),
    source: z.enum(feedSources),
    /** Where it is fetched from; default: the distributor's own address. */
    url: z.url({ protocol: /^https?$/, error: 'want an http or https address' }).optional(),
    /** A file or directory of this machine, such as a mirror. */
    path: AbsolutePath.optional(),
    /** Which platform it is for, where it does not say so itself: a repository of one's own. */
    platform: z
      .string()
      .regex(/^[a-z]+-[0-9][0-9.]*$/, 'want a platform such as debian-12')
      .optional(),
    /** apt-security: which suite of the archive, and whose signatures are believed. */
    suite: z.string().optional(),
    components: z.array(z.string()).optional(),
    architectures: z.array(z.string()).optional(),
    keyrings: z.array(AbsolutePath).optional(),
    /** apt-security without a place: archives that hosts may name, besides the distributors' own servers. */
    mirrors: z
      .array(z.url({ protocol: /^https?$/, error: 'want an http or https address' }))
      .default([]),
    /** How often it is asked. */
    everySeconds: z.int().min(10).optional(),
    /** Without success for so long it is silent, and operators are told. */
    silentAfterHours: z.number().positive().default(24),
  })
  .refine(({ url, path }) => url === undefined || path === undefined, {
    path: ['path'],
    error: 'want a url or a path, not both',
  });
export type ConfiguredFeed = z.infer<typeof ConfiguredFeed>;

const hours = z.number().min(0);

/** A rule about advisories; the first that fits decides. */
const ConfiguredRule = z.strictObject({
  severity: z.array(Severity).min(1).optional(),
  /** Whether the package is one of the platform's core packages. */
  core: z.boolean().optional(),
  exploited: z.boolean().optional(),
  /** Which kinds of advisories it is for; default: security alone. */
  kind: z.array(AdvisoryKind).min(1).default(['security']),
  mode: Mode,
  minAgeHours: hours.default(0),
  earliestHours: hours.default(0),
  latestHours: hours.optional(),
  whenMirrorMoved: z.enum(['wait', 'start-over']).default('wait'),
});

/** Packages of which an upgrade alone can disturb every container of the host. */
export const defaultDisruptivePackages = [
  ...[
    'libc6',
    'libc-bin',
    'systemd',
    'systemd-sysv',
    'libsystemd0',
    'udev',
    'dbus',
    'sysvinit-core',
  ],
  ...['lxc', 'liblxc1', 'liblxc-common', 'lxcfs', 'lxc-libs', 'glibc', 'glibc-common'],
  ...['iproute2', 'ifupdown', 'netplan.io', 'network-manager', 'NetworkManager', 'nftables'],
];

/** Everything that /etc/groundswell/config.yaml and its drop-ins may say. */
export const Configuration = z.strictObject({
  /** Store, journal, keys and the embedded Redis live below it. */
  dataDirectory: OwnDirectory.default('/var/lib/groundswell'),
  redis: z
    .strictObject({
      /** Default: a redis-server of our own, started by `groundswell up`. */
      url: z
        .string()
        .regex(/^(rediss?|unix):\/\//, 'want redis://…, rediss://… or unix://…')
        .optional(),
      /** Sentinels that know where the master is: the host in `url` is its name then. */
      sentinels: z
        .array(z.string().regex(/^rediss?:\/\/[^/]+$/, 'want redis://host:port, or rediss://…'))
        .min(1)
        .optional(),
    })
    .prefault({}),
  log: z
    .strictObject({
      level: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
    })
    .prefault({}),
  server: ServerSection.prefault({}),
  agent: AgentSection.prefault({}),
  services: z.array(ConfiguredService).default([]),
  /** Platform, such as debian-12, to what holds on its hosts. */
  platforms: z
    .record(
      z.string().regex(/^[a-z]+-[0-9][0-9.]*$/, 'want a platform such as debian-12'),
      z.strictObject({
        mode: Mode.default('auto'),
        /** What is decided about advisories; without a rule that fits, a person decides. */
        policy: z.array(ConfiguredRule).default([]),
        /** Names of packages; default: the manifest that Groundswell ships for the platform. */
        corePackages: z.array(z.string().min(1)).optional(),
      }),
    )
    .default({}),
  /** Where advisories come from. */
  feeds: z.array(ConfiguredFeed).default([]),
  /** How feeds are fetched. */
  fetch: z
    .strictObject({
      proxy: z.url({ protocol: /^https?$/, error: 'want an http or https address' }).optional(),
      /** Certificates (PEM) of authorities that are believed besides the system's. */
      ca: AbsolutePath.optional(),
    })
    .prefault({}),
  disruptivePackages: z.array(z.string().min(1)).default(defaultDisruptivePackages),
  optOut: z.array(ConfiguredOptOut).default([]),
  maintenanceWindow: MaintenanceWindow.optional(),
  waves: Waves.prefault({}),
});
export type Configuration = z.infer<typeof Configuration>;
