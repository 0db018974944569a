import type { Need, NeededAdvisory } from '../advisories/needs.ts';
import type { ContainerId, HostId } from '../ids.ts';
import type {
  ContainerView,
  Expect,
  PauseLevel,
  RecordNumber,
  Step,
  Verification,
} from '../messages.ts';
import type { PackageChange } from '../packages.ts';
import type { Mode, ServiceSettings } from '../service-settings.ts';
import type { PolicyRule } from './policy.ts';

/** Figures that the coordinator goes by; times in ms of server time. */
export interface FleetSettings {
  /** A grant not begun this long after it was given is refused (R21). */
  beginBeforeMs: number;
  /** A grant not over this long after it was given is suspect (R20). */
  deadlineMs: number;
  /** A host that was not heard for longer than this is unknown (R17). */
  staleLimitMs: number;
  /** A wave pauses when more attempts than this have failed (R32). */
  maxFailures: number;
  /** Restarts that must end well before the rest of a wave may begin. */
  canaries: number;
  /** Restarts of one host, of one zone and of the fleet at once; null: no cap. */
  hostCap: number;
  zoneCap: number | null;
  fleetCap: number | null;
  /** First pause before a container is granted again after a refusal; doubles up to a minute. */
  refusalBackoffMs: number;
  /** Strictest of this and the service's own mode decides. Platform id → mode. */
  platformModes: Record<string, Mode>;
  /**
   * Daily window in minutes since midnight of the wall clock given with each event; null: always. The time zone is only for
   * people who read of it; without one it is the server's own.
   */
  window: { fromMinute: number; toMinute: number; timezone?: string | undefined } | null;
  /** Packages whose upgrade needs room in every budget of the host (R29). */
  disruptivePackages: string[];
  /** Platform id → what is decided about its advisories, the first rule that fits. */
  policies: Record<string, readonly PolicyRule[]>;
  /** Platform id → names of its core packages. */
  corePackages: Record<string, ReadonlySet<string>>;
  /** A host whose mirror lacks a fix is asked to look again this often. */
  refreshEveryMs: number;
}

export interface Suspect {
  grantId: string;
  container: string;
  step: Step;
}

export interface Host {
  id: HostId;
  zone: string;
  /** Restarts at once on this host; null: the fleet's default. */
  cap: number | null;
  platform: string;
  state: 'enrolled' | 'excluded';
  /** None of its keys is believed: it cannot be heard until it is enrolled again. Kept beside the fleet, known here. */
  revoked: boolean;
  incarnation: string | null;
  retired: string[];
  ackedSeq: number;
  /** False until it has reported whole in this generation (R16). */
  known: boolean;
  /** The store was restored from a backup, and this host has not reported whole since: what it holds is not known (R16). */
  resync: boolean;
  /** It knows more than this store does, which is not proved for all (R16). */
  knowsMore: boolean;
  /** How many records of the audit chain of its present life have come; null: not known, it goes on from what comes. */
  copied: number | null;
  /** The store was restored, and the records that are missing since have not come again yet. */
  copiesMissing: boolean;
  /** Its records are of this life of the store, where that is later than the fleet's (R16). */
  generation: number;
  /** The newest record that it echoed. */
  echo: RecordNumber | null;
  /** It was seen since it heard of this leader, so that all that it held then was told (R16). In memory alone. */
  greeted: boolean;
  /** Server time of the newest thing said by it, by the record it echoed (R14); null: never. */
  heardAt: number | null;
  /** Newest control record: its n, and when the later ones were issued. */
  recordN: number;
  issued: { n: number; at: number }[];
  settingsHashes: Record<string, string>;
  atRest: boolean;
  atRestReason: string;
  rebootRequired: string[];
  staleHostProcesses: { pid: number; command: string; paths: string[]; unit: string | null }[];
  agentStale: boolean;
  /** What its agent could not do lately. */
  problems: string[];
  /** Grants of former incarnations that are not ended (R15). */
  suspects: Suspect[];
  /** Grant ids that the agent is asked to take back (R20). */
  voids: string[];
  /** The job that asked it to report whole and was not answered yet; null: none. */
  observeJob: string | null;
  /** Number of package transactions reported. */
  transactions: number;
  /** The host gate's reason when it did not pass after an upgrade; null: passed. */
  gate: string | null;
  /** Since when it does not pass, and when its journal was last lost, in wall-clock ms; null: not so, or not known. */
  gateSince: number | null;
  journalLostAt: number | null;
  /**
   * Packages with fixes that are missing, as of which of its transactions. Equal hosts share the list. Told anew by the
   * matcher at each start, and not stored; null: not told yet. `unread`: why its repositories could not be fetched the last
   * time, so that what they offer is not known anew; null: they were.
   */
  needs: { transaction: number; list: readonly Need[]; unread: string | null } | null;
  /** What a person has decided against, or what was done to no avail (`tried.ts`): it is not tried again by itself. */
  tried: string[];
  /**
   * Versions (`tried.ts`) that its repositories did not have when it was ordered to install them: how often, and until when it
   * is not asked for them again.
   */
  refused: { version: string; count: number; until: number }[];
  /** Server time when it was last asked to fetch its repositories' indexes. */
  refreshAskedAt: number | null;
}

export interface Container {
  id: ContainerId;
  host: HostId;
  service: string;
  /** Two services claim it (R18): nothing is granted until the configuration is mended. */
  membershipProblem: string | null;
  view: ContainerView;
  observedAt: number;
  /** Deliberately stopped, and out of the count (R25). */
  parked: boolean;
  /** The host's transaction count when the last attempt that did not verify was granted (R27). */
  attemptedAt: number | null;
  /**
   * The last decision of a person against a wave that was to restart it, with the host's transaction count then; null: none
   * that still counts. It concerns that wave's cause alone: other waves that hold the container go on.
   */
  decided: {
    transactions: number;
    waveId: string;
    how: 'declined' | 'stopped';
    by: string;
  } | null;
  /** Ids of the waves that left it out because it was opted out, as long as it runs the old code. */
  optedOutOf: string[];
  lastVerification: Verification | null;
  lastFailure: string | null;
  /** No grant before this server time, and only once it was observed again since (R21). */
  refusal: { until: number; count: number; reason: string; seenSince: boolean } | null;
}

export interface Grant {
  id: string;
  jobId: string;
  waveId: string;
  kind: 'restart' | 'upgrade';
  host: HostId;
  /** Null for an upgrade. */
  container: ContainerId | null;
  service: string | null;
  expect: Expect | null;
  attempt: number;
  byHand: boolean;
  onlyIfBroken: boolean;
  /** An upgrade that holds one unit of each service of its host (R29). */
  disruptive: boolean;
  /** Last step reported; null before the first. */
  step: Step | null;
  failed: boolean;
  failReason: string | null;
  /** What its agent waits for before it goes on (L4); null: nothing that it has told. */
  waiting: string | null;
  voidAsked: string | null;
  /** Past its deadline (R20): counted as an error until it ends well. */
  suspect: boolean;
  grantedAt: number;
  beginBefore: number;
  deadline: number;
  transactions: number;
  /** What was decided and on which ground, for the record and for `why`. */
  why: string;
}

/** Advisories whose fixes hosts of a platform are to get. */
export interface AdvisoriesCause {
  kind: 'advisories';
  platform: string;
  mode: 'approve' | 'auto';
  whenMirrorMoved: PolicyRule['whenMirrorMoved'];
  advisories: NeededAdvisory[];
  /**
   * What is to be upgraded, each `name:arch` to one version, and when that was first seen (wall clock, ms); `source` is the
   * binary package's name, as for an upgrade by hand.
   */
  packages: { source: string; arch: string; to: string; firstSeen: number | null }[];
  changes: PackageChange[];
  /** What the first host was ordered and got: `name:arch` → version. */
  proved: Record<string, string>;
  /** What came along with that, such as dependencies, as the first host that got it did: `name:arch` → version. */
  along?: Record<string, string>;
  /** `name:arch` of what is proved, and some mirror has no more. */
  moved?: string[];
  /** Wall-clock ms after which all that it brings waits for no maintenance window; null: it always does. */
  startBy: number | null;
}

export type WaveCause =
  | {
      kind: 'upgrade';
      packages: { source: string; to: string }[];
      changes: PackageChange[];
      by: 'groundswell' | 'outside';
    }
  | AdvisoriesCause
  | { kind: 'found-stale' }
  | { kind: 'by-hand'; actor: string; what: string };

export interface WaveMember {
  state:
    | 'pending'
    | 'restarting'
    | 'failed'
    | 'verified'
    | 'stale'
    | 'shadowed'
    | 'unknown'
    | 'not-needed'
    /** Runs old code, and its service or platform is in mode `observe`. */
    | 'observed'
    /** Runs old code, or nobody could look, and is not to be restarted (yet). */
    | 'opted-out'
    | 'gone';
  attempts: number;
  reason: string;
}

export interface Wave {
  id: string;
  cause: WaveCause;
  createdAt: number;
  endedAt: number | null;
  /**
   * The same by the wall clock, for people, and when its first grant or upgrade was given; null: not yet, or
   * before these were kept.
   */
  wall: { createdMs: number | null; startedMs: number | null; endedMs: number | null };
  /** Approved by whom; null while it waits for a person, where one is needed. */
  approvedBy: string | null;
  state: 'open' | 'stopping' | 'stopped' | 'declined' | 'finished';
  /** Set by the error threshold (R32); taken away by resume. */
  pausedBy: string | null;
  stage: 'canary' | 'rest';
  goodCanaries: number;
  failures: number;
  maxFailures: number;
  byHand: boolean;
  members: Map<ContainerId, WaveMember>;
  /** Upgrades that this wave asked for: host → state. */
  upgrades: Map<HostId, WaveUpgrade>;
  /** Services whose floor an operator has waived for this wave (R17). */
  outagesAllowed: string[];
  told: string[];
}

/**
 * A package of a host's upgrade; of one that advisories ask for, also of which architecture, what the host had when it came into
 * the wave, and whether it is known to be exploited.
 */
export interface WantedUpgrade {
  readonly name: string;
  readonly want: 'exact' | 'at-least' | 'newest';
  readonly version: string | null;
  readonly arch?: string;
  readonly installed?: string;
  readonly exploited?: boolean;
}

export interface WaveUpgrade {
  /** `left-out`: nothing was done, and it may come into a wave again. */
  state: 'pending' | 'running' | 'done' | 'failed' | 'left-out';
  mode: 'packages' | 'security';
  /** Never changed in place: hosts that are to get the same may share it, and by it being the same one it is known to be stored. */
  packages: readonly WantedUpgrade[];
  allowRemove: boolean;
  reason: string;
  /** It came to nothing for a reason that passes, the `count`th time of so many: not ordered again before `at` (server time). */
  again?: { count: number; of: number; at: number; because: string };
}

export interface Pause {
  id: string;
  level: PauseLevel;
  actor: string;
  reason: string;
  at: number;
}

export interface Freeze {
  id: string;
  actor: string;
  reason: string;
  /** Wall-clock ms; null: until it is lifted. */
  until: number | null;
}

/** All that the active coordinator keeps in memory; rebuilt from the store at its start. */
export interface Fleet {
  generation: number;
  epoch: number;
  settings: FleetSettings;
  services: Map<string, ServiceSettings>;
  hosts: Map<HostId, Host>;
  containers: Map<ContainerId, Container>;
  /** Grants that are not ended. */
  grants: Map<string, Grant>;
  waves: Map<string, Wave>;
  pauses: Map<string, Pause>;
  freezes: Map<string, Freeze>;
  /**
   * Hosts that were found to know more than the store (R16), whether that was proved for all under this leader, and whether
   * it may be and others were not heard yet. In memory alone.
   */
  provers: HostId[];
  raised: boolean;
  inDoubt: boolean;
}

export const defaultFleetSettings: FleetSettings = {
  beginBeforeMs: 30_000,
  deadlineMs: 600_000,
  staleLimitMs: 90_000,
  maxFailures: 0,
  canaries: 1,
  hostCap: 2,
  zoneCap: null,
  fleetCap: null,
  refusalBackoffMs: 2_000,
  platformModes: {},
  window: null,
  disruptivePackages: [],
  policies: {},
  corePackages: {},
  refreshEveryMs: 900_000,
};

export const emptyFleet = (settings: FleetSettings, generation: number, epoch: number): Fleet => ({
  generation,
  epoch,
  settings,
  services: new Map(),
  hosts: new Map(),
  containers: new Map(),
  grants: new Map(),
  waves: new Map(),
  pauses: new Map(),
  freezes: new Map(),
  provers: [],
  raised: false,
  inDoubt: false,
});

export const newHost = (id: HostId, zone: string, cap: number | null): Host => ({
  id,
  zone,
  cap,
  platform: '',
  state: 'enrolled',
  revoked: false,
  incarnation: null,
  retired: [],
  ackedSeq: 0,
  known: false,
  resync: false,
  knowsMore: false,
  copied: null,
  copiesMissing: false,
  generation: 0,
  echo: null,
  greeted: false,
  heardAt: null,
  recordN: 0,
  issued: [],
  settingsHashes: {},
  atRest: true,
  atRestReason: '',
  rebootRequired: [],
  staleHostProcesses: [],
  agentStale: false,
  problems: [],
  suspects: [],
  voids: [],
  observeJob: null,
  transactions: 0,
  gate: null,
  gateSince: null,
  journalLostAt: null,
  needs: null,
  tried: [],
  refused: [],
  refreshAskedAt: null,
});

/** The life of the store that a host's records are of: the head of their numbers (R11, R16). */
export const generationOf = ({ generation }: Fleet, host: Pick<Host, 'generation'>): number =>
  Math.max(generation, host.generation);
