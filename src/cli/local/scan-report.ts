import { join } from 'node:path';
import type { ContainerScan, StaleHostProcess, Unreadable } from '../../core/observation.ts';
import { verdictOf, whyOf } from '../../core/stale/verdict.ts';
import type { ScanVerdict } from '../../core/stale/verdict.ts';
import { rewriteOldForm } from '../../host/lxc/old-form.ts';
import type { HostScan } from '../../host/proc/scan-host.ts';
import type { RuntimeContainer, RuntimeState } from '../../host/runtime.ts';

/** One container, as `scan --json` prints it. */
export interface ScannedContainer extends ContainerScan {
  services: string[];
  state: RuntimeState['state'] | 'unknown';
  verdict: ScanVerdict;
  why: string;
}

/** What `scan --json` prints. Fields may be added; none changes its meaning under one format. */
export interface ScanReport {
  format: 1;
  summary: Record<
    'containers' | 'stale' | 'shadowed' | 'unknown' | 'current' | 'notRunning',
    number
  >;
  containers: ScannedContainer[];
  /** Containers that are not on the host's root: left alone. */
  others: { name: string; root: string }[];
  /** Those of `containers` whose configuration today's LXC does not start, and the command that mends it. */
  oldForm: { name: string; rewrite: string }[];
  hostProcesses: StaleHostProcess[];
  unreadable: Unreadable[];
  tookMs: number;
}

export const scanReport = (
  { listed, lxcPath }: { listed: readonly RuntimeContainer[]; lxcPath: string },
  states: ReadonlyMap<string, RuntimeState>,
  scan: HostScan,
): ScanReport => {
  const containers = scan.containers.map((one): ScannedContainer => {
    const container = listed.find(({ name }) => name === one.name);
    return {
      ...one,
      services: container?.groups ?? [],
      state: states.get(one.name)?.state ?? 'unknown',
      verdict: verdictOf(one),
      why: whyOf(one),
    };
  });
  const count = (verdict: ScanVerdict): number =>
    containers.filter((one) => one.verdict === verdict).length;
  return {
    format: 1,
    summary: {
      containers: containers.length,
      stale: count('stale'),
      shadowed: containers.filter(({ shadowed }) => shadowed.length > 0).length,
      unknown: count('unknown'),
      current: count('current'),
      notRunning: count('not running'),
    },
    containers,
    others: listed.flatMap(({ name, root }) =>
      root.kind === 'other' ? [{ name, root: root.describe }] : [],
    ),
    oldForm: listed.flatMap(({ name, root, configPath }) =>
      root.kind === 'host-overlay-old-keys'
        ? [{ name, rewrite: rewriteOldForm(configPath ?? join(lxcPath, name, 'config')) }]
        : [],
    ),
    hostProcesses: scan.host,
    unreadable: scan.unreadable,
    tookMs: Math.round(scan.tookMs * 10) / 10,
  };
};

/** Exit code of `scan`, docs/reference/exit-codes.md. */
export const scanExitCode = ({ summary, hostProcesses, unreadable }: ScanReport): 0 | 10 | 11 => {
  if (summary.stale + summary.shadowed + hostProcesses.length > 0) return 10;
  return summary.unknown + unreadable.length > 0 ? 11 : 0;
};
