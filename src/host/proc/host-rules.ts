import type { PackagedPaths } from '../../core/stale/packaged-paths.ts';
import { mountOf } from '../../core/stale/parse-mountinfo.ts';
import type { Mount } from '../../core/stale/parse-mountinfo.ts';

/** Packages of one root, or why they cannot be told. */
export type Packaged = { paths: PackagedPaths } | { reason: string };

export type HostFileVerdict = 'fine' | { path: string; how: 'replaced' | 'removed' };

/** How processes of the host itself are judged, for the time of one scan. */
export interface HostRules {
  packaged: Packaged;
  /** The mount of the host's own root: processes on another root are in somebody's container. */
  root: Mount | null;
  /** Verdicts on files that processes in the scanner's own mount namespace map. */
  verdicts: Map<string, HostFileVerdict>;
}

export const hostRules = (hostMounts: readonly Mount[], packaged: Packaged): HostRules => ({
  packaged,
  root: mountOf(hostMounts, '/'),
  verdicts: new Map(),
});
