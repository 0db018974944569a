import type { Inventory, InventoryPackage } from '../../core/advisories/inventory.ts';
import type { SecuritySuite } from '../../core/advisories/security-suite.ts';
import type { WantedPackage } from '../../core/messages.ts';
import type { CorePackage } from '../../core/platforms/manifest.ts';
import type { InstalledPackage, PackageChange } from '../../core/packages.ts';
import type { ProvedVersion } from './as-proved.ts';
import type { PackageFailure } from './failure.ts';
import type { PackageWork } from './work-in-progress.ts';

export type AtRest = { atRest: true } | { atRest: false; reason: string };

export type Refreshed = { ok: true; output: string } | { ok: false; reason: PackageFailure };

export type UpgradeRequest = {
  /** Names the transaction: asked for twice, it is done once. */
  id: string;
  /** Without it an upgrade that would remove a package is refused. */
  allowRemove: boolean;
  /** Versions of what comes along; one that cannot be had is an `unknown-version`. */
  proved?: readonly ProvedVersion[];
} & ({ mode: 'packages'; packages: readonly WantedPackage[] } | { mode: 'security' });

interface Done {
  /** Exactly what changed, from the database before and after; also when it failed half-way. */
  changes: PackageChange[];
  /** Path of what the package manager said; null where it was not started. */
  transcript: string | null;
  /** Packages that were left out because they are held. */
  held: string[];
  /** What an interrupted package manager had left, and was put right first. */
  healed?: string | undefined;
}

export type UpgradeResult = ({ ok: true } & Done) | ({ ok: false; reason: PackageFailure } & Done);

/** The database of what is installed on this host, as the watch on it needs it. */
export interface PackageDatabase {
  /** Changes whenever it is written. Synchronous: a small look. Throws where there is no database. */
  signature: () => string;
  /** When it was last written, in ms by the wall clock. */
  writtenAtMs: () => Promise<number>;
  /** Throws where it cannot be read, or does not stand still. */
  inventory: () => Promise<InstalledPackage[]>;
  /** Whether it is at rest (R21). What cannot be read is not. Never rejects. */
  atRest: () => Promise<AtRest>;
}

/** What a host has installed, and for each package that has a newer version in its repositories: that one. */
export interface HostInventory {
  inventory: Inventory;
  offers: InventoryPackage[];
  /** Suites of security updates that its sources name; empty where the package manager has no such. */
  securitySuites: SecuritySuite[];
  /** Why it is not known what the repositories offer: the packages are those of the host, and nothing is offered. Null: it is. */
  problem: string | null;
}

/** The core packages of a distribution release, and what of its data says so. */
export interface ReleaseCore {
  packages: CorePackage[];
  from: string[];
}

/** What Groundswell needs of a host's package manager. */
export interface PackageManager {
  database: PackageDatabase;
  /** The same answer as the database's, at the price that two questions per restart may have. */
  atRest: () => Promise<AtRest>;
  /** Who changes packages right now, and in which script of a package; null: nobody does. */
  atWork: () => PackageWork | null;
  /**
   * What is installed and offered, by the indexes that are there. Throws where that cannot be read; where it is the repositories
   * alone that cannot be, they are the `problem` of what is answered.
   */
  readInventory: (platform: string) => Promise<HostInventory>;
  /** Changes whenever that may. Cheap, so that it is asked for often. Throws where there is no database. */
  inventoryMark: () => Promise<string>;
  /**
   * The core of the host's own release, by the distribution's data alone: what is installed, and what other repositories offer,
   * plays no part. Throws where that data is not there.
   */
  readCore: () => Promise<ReleaseCore>;
  /** Fetch what the repositories offer; one that cannot be had or trusted is a failure. */
  refresh: (options: { timeoutMs: number }) => Promise<Refreshed>;
  /** Upgrade in one transaction; an id that was begun before is awaited, not done again. */
  upgrade: (request: UpgradeRequest) => Promise<UpgradeResult>;
  /** The result of one that this process or an earlier one began. Null: it never began. */
  resume: (id: string) => Promise<UpgradeResult | null>;
}
