import type { Severity } from './advisory.ts';
import type { FeedState } from './feed-state.ts';

/** How a feed's polling stands, as operators see it. */
export type FeedView = Omit<FeedState, 'problemFiles'> & {
  silent: boolean;
  /** Hosts whose own sources name it; null: the configuration does. */
  namedBy: string | null;
  /** Why it is not polled at all; null: it is. */
  notFetched: string | null;
};

/** An advisory that hosts of the fleet have a package for, and not its fix. */
export interface AdvisoryLine {
  feed: string;
  id: string;
  title: string;
  severity: Severity;
  exploited: boolean;
  cves: string[];
  published: string | null;
  /** Installed packages that it concerns. */
  packages: string[];
  /** Hosts that lack the fix. */
  hosts: number;
  /** Those among them whose repositories do not have it yet. */
  notInMirror: number;
  /** What is decided about it, or what it waits for: one sentence for each difference among the hosts. */
  decisions: string[];
}

/** What an advisory means for one package of one host. */
export interface AffectedPackage {
  host: string;
  package: string;
  arch: string;
  installed: string;
  fixed: string | null;
  state: 'pending' | 'applied' | 'no-fix';
  /** The version that the host's repositories offer with the fix; null: none. */
  target: string | null;
  /** The package that brings it (a kernel comes with a metapackage), and whether that is held; null: none is known. */
  from: { package: string; held: boolean } | null;
  /** It is installed and an older kernel runs: a reboot helps, and no upgrade. */
  reboot: boolean;
  /** Wave that brings it, if one does. */
  wave: string | null;
  why: string;
}

export interface AdvisoryDetail extends AdvisoryLine {
  vendorSeverity: string | null;
  withdrawn: boolean;
  firstSeen: string;
  affected: AffectedPackage[];
  /** Of each host that it concerns: how many containers it has, and the names of those that run old code now. */
  containers: { host: string; count: number; stale: string[] }[];
}

/** What a host has and needs, as `groundswell inventory` shows it. */
export interface HostInventoryView {
  host: string;
  inventory: unknown;
  offers: unknown[];
  reportedAt: string;
  refreshedAt: string | null;
  refreshProblem: string | null;
}
