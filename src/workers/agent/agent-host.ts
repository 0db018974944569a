import type { Inventory, InventoryPackage } from '../../core/advisories/inventory.ts';
import type { SecuritySuite } from '../../core/advisories/security-suite.ts';
import type { ProbeAnswer } from '../../core/health-clock.ts';
import type { ContainerName } from '../../core/ids.ts';
import type { HostUpgrade, UpgradeFinished } from '../../core/messages.ts';
import type { ContainerScan, Instance, StaleHostProcess } from '../../core/observation.ts';
import type { HostServiceSettings } from '../../core/service-settings.ts';
import type { HostAbilities } from '../../host/gate/host-gate.ts';
import type { PackageWork } from '../../host/packages/work-in-progress.ts';
import type { RoomOf } from '../../host/packages/room.ts';
import type {
  ChildIdentity,
  ContainerRuntime,
  RuntimeContainer,
  RuntimeState,
} from '../../host/runtime.ts';

/** The container that something is done with. */
export interface Target {
  name: ContainerName;
  address: string | null;
}

export interface HealthPort {
  /** One probe, with the settings' own time limit. Never rejects: what cannot be probed is `unknown`. */
  probe: (target: Target, settings: HostServiceSettings) => Promise<ProbeAnswer>;
  /**
   * Probe until healthy for `minHealthyTimeMs`, past its deadline (`deadline` false: never), down or gone.
   * Never rejects.
   */
  watch: (options: {
    target: Target;
    settings: HostServiceSettings;
    deadline: boolean;
    signal: AbortSignal;
  }) => Promise<{ result: 'healthy' | 'deadline' | 'down' | 'gone' | 'aborted'; reason: string }>;
}

export type DrainAnswer = { ok: true } | { ok: false; reason: string };

export interface DrainPort {
  /**
   * Whether anything is done for a service before its stop or after it: a load balancer, a command. The
   * other functions do nothing where this is false.
   */
  drains: (settings: HostServiceSettings) => boolean;
  /**
   * What a drain would find now (R28), as text that only this port reads. Changes nothing. Rejects where
   * the load balancer cannot be asked.
   */
  look: (target: Target, settings: HostServiceSettings) => Promise<string>;
  /** Take out of service: before-stop command, load balancer. May be repeated. */
  drain: (
    target: Target,
    settings: HostServiceSettings,
    found: string,
    signal: AbortSignal,
  ) => Promise<DrainAnswer>;
  /**
   * Back into service as it was found, also when no stop came after the drain; `found` null: the journal
   * that knew is lost (R15). May be repeated.
   */
  undrain: (
    target: Target,
    settings: HostServiceSettings,
    found: string | null,
    signal: AbortSignal,
  ) => Promise<DrainAnswer>;
}

export interface ScanPort {
  /** Off the main thread. Containers that could not be scanned say so in `unreadable`. */
  all: () => Promise<{ containers: ContainerScan[]; hostProcesses: StaleHostProcess[] }>;
  one: (name: ContainerName) => Promise<ContainerScan>;
  /** Whether something that this earlier scan found stale still is; `false` says nothing, and calls for `one`. */
  stillStale: (earlier: ContainerScan) => Promise<boolean>;
}

export type UpgradeAnswer = Pick<
  UpgradeFinished,
  'ok' | 'reason' | 'remedy' | 'changes' | 'transcript' | 'code' | 'missing'
>;

/** What a host has and is offered. */
export interface PackageInventory {
  inventory: Inventory;
  offers: InventoryPackage[];
  securitySuites: SecuritySuite[];
  /** Why it is not known what the repositories offer; null: it is. */
  problem: string | null;
}

export interface PackagesPort {
  /** Changes whenever the inventory may. Cheap. Rejects where there is no package database. */
  inventoryMark: () => Promise<string>;
  /** Installed packages, and what the repositories offer by the indexes that are there. Rejects where the host's packages cannot be read. */
  inventory: () => Promise<PackageInventory>;
  /** Fetch the repositories' indexes. Answers why that failed, or null. */
  refresh: () => Promise<string | null>;
  /** What the host can do besides running containers. Never rejects. */
  abilities: (asked: { dns: boolean }) => Promise<HostAbilities>;
  /** Whether the package database is at rest (R21). What cannot be read is not. */
  atRest: () => Promise<{ ok: boolean; reason: string }>;
  /** Who changes packages right now, and in which script of a package; null: nobody does, or it cannot be told. Never throws. */
  atWork: () => PackageWork | null;
  /** Run the upgrade, outside the agent's own control group. Rejects only when nothing was begun. */
  upgrade: (order: HostUpgrade, jobId: string) => Promise<UpgradeAnswer>;
  /** Room that is left on the disks to which packages are written. Never rejects: what cannot be asked is left out. */
  room: () => Promise<RoomOf[]>;
  /** Find the one that a former life began for that job, and await it. Null: nothing was begun. */
  findUpgrade: (jobId: string) => Promise<UpgradeAnswer | null>;
}

/** An `lxc-stop` (or the like) of ours that may have outlived a former process (R15, R24). */
export interface StopsPort {
  atWork: () => (ChildIdentity & { name: string })[];
  /** Whether it ended within the time. */
  ended: (child: ChildIdentity, timeoutMs: number) => Promise<boolean>;
  end: (child: ChildIdentity) => Promise<void>;
}

/** What the host's own configuration says (design §12). */
export interface SettingsPort {
  /** Settings for a service by name; those for all others where it is not named. */
  of: (service: string) => HostServiceSettings;
  /** Service → hash of its settings; `*`: the others. */
  hashes: () => Record<string, string>;
  /** The service that a container counts in as this host knows it; for probes between restarts. */
  serviceOf: (container: Pick<RuntimeContainer, 'name' | 'groups'>) => string;
  optOut: (
    container: Pick<RuntimeContainer, 'name' | 'groups'>,
    wallMs: number,
  ) => { reason: string; until: number | null } | null;
}

/** Facts about the host that stand in every observation. */
export interface HostFacts {
  platform: string;
  rebootRequired: string[];
  /** This agent itself runs replaced code. */
  agentStale: boolean;
}

export interface ParkedNote {
  name: ContainerName;
  reason: string;
  by: string;
  /** When it was left, wall clock in ms. */
  atMs: number;
}

/** All that the agent does and sees on its host. */
export interface AgentHost {
  runtime: ContainerRuntime & {
    /** States of many at the price of one; one that is missing is unknown. */
    states: (names: readonly ContainerName[]) => Promise<Map<ContainerName, RuntimeState>>;
    /** Of the host's present boot, as it stands in the instances of this boot. */
    bootId: () => string;
    /** What whoever stops this instance takes away with it, and its death leaves (R25); none: that cannot be told. */
    tracesOf: (name: ContainerName, instance: Instance) => string[];
    /** Whether the traces of one that is down are there still. */
    isLeft: (traces: readonly string[]) => boolean;
    /** Whether its tools work: what is wrong with them, or null. */
    ask: () => Promise<string | null>;
  };
  health: HealthPort;
  drain: DrainPort;
  scan: ScanPort;
  packages: PackagesPort;
  stops: StopsPort;
  settings: SettingsPort;
  facts: () => Promise<HostFacts>;
  /** Notes on containers that are down on purpose. Never rejects: what cannot be read parks nothing. */
  parked: {
    notes: () => Promise<ReadonlyMap<ContainerName, ParkedNote>>;
    /** Take away the note on one that runs again, unless another was left meanwhile. */
    forget: (note: ParkedNote) => Promise<void>;
  };
  /** Private directories of the host that the container can read, as far as is known; cheap. Never rejects. */
  unhidden: (container: RuntimeContainer) => Promise<string[]>;
  /** While a container is down for a restart: hide the private directories in it. */
  whileDown: (name: ContainerName) => Promise<void>;
}

/** Time and names, given from outside. */
export interface AgentClock {
  /** Monotonic ms of this process. */
  monoMs: () => number;
  wallMs: () => number;
  newId: () => string;
}
