import type { KnownContainer } from '../../core/agent/journal.ts';
import { firstOfEach } from '../../core/first-of-each.ts';
import type { ContainerView } from '../../core/messages.ts';
import { untoldOwnFiles } from '../../core/own-files.ts';
import { maxReportBytes } from '../../jobs/envelope.ts';
import { sameInstance } from '../../core/observation.ts';
import type { ContainerScan, Health, ShadowedFile } from '../../core/observation.ts';
import type { RuntimeContainer, RuntimeState } from '../../host/runtime.ts';
import { rewriteOldForm } from '../../host/lxc/old-form.ts';
import { shortText } from './short-text.ts';
import { seenState } from './seen-state.ts';

/** All that is known of one container. */
export interface Known {
  container: RuntimeContainer;
  /** Null: its runtime does not answer. */
  state: RuntimeState | null;
  /** Of the newest instance that was scanned; counts only for that one. */
  scan: ContainerScan | null;
  health: { health: Health; reason: string };
  optOut: { reason: string; until: number | null } | null;
  parked: { reason: string; by: string } | null;
  unhidden: string[];
}

/** More of one container than these say nothing that these do not. */
const tellAtMost = 50;

/** What a view may measure as JSON: a host tells of all its containers in one message, which has a largest size. */
export interface ViewLimits {
  bytes: number;
  /** Their copies in a container are told before others. */
  patched?: readonly string[];
}

/** So much may the views of all containers together, of what a report may measure. */
const allViewsBytes = maxReportBytes / 2;
const viewBytes = { largest: 64 * 1024, smallest: 2 * 1024 };

export const viewLimits = (containers: number): ViewLimits => ({
  bytes: Math.max(
    viewBytes.smallest,
    Math.min(viewBytes.largest, Math.floor(allViewsBytes / Math.max(1, containers))),
  ),
});

const healthOf = ({ state, health }: Known): { health: Health; reason: string } => {
  if (state === null) return { health: 'unknown', reason: 'its runtime does not answer' };
  switch (state.state) {
    case 'running':
      return health;
    case 'frozen':
      return { health: 'unhealthy', reason: 'it is frozen' };
    default:
      return { health: 'unhealthy', reason: `it is ${state.state}` };
  }
};

/** Whether the stale scan has anything to say of it: its root has to do with the host's. */
export const isScanned = ({ root }: RuntimeContainer): boolean => root.kind !== 'other';

type Found = Pick<ContainerView, 'stale' | 'shadowed' | 'unreadable'>;

const nothing: Found = { stale: [], shadowed: [], unreadable: [] };

const unread = (reason: string): Found => ({
  ...nothing,
  unreadable: [{ what: 'container', reason }],
});

/** One file of each package comes before the second of any, and patched packages before others. */
const inOrder = (
  shadowed: readonly ShadowedFile[],
  patched: readonly string[],
): { files: ShadowedFile[]; packages: number } => {
  const { first, others } = firstOfEach(shadowed, (file) => file.package);
  const isPatched = (file: ShadowedFile): boolean => patched.includes(file.package);
  const named = [...first.filter(isPatched), ...first.filter((file) => !isPatched(file))];
  return { files: [...named, ...others], packages: first.length };
};

/** As much of what was found as fits. Where not every package with files of its own is named, that is said. */
const fitting = (
  { stale, shadowed, unreadable }: Found,
  { bytes, patched = [] }: ViewLimits,
): Found => {
  const { files, packages } = inOrder(shadowed, patched);
  for (let most = 512; ; most /= 2) {
    const some = Math.min(most, tellAtMost);
    const named = Math.min(most, packages);
    const cut: Found = {
      stale: stale.slice(0, some).map((one) => ({ ...one, path: shortText(one.path) })),
      shadowed: files
        .slice(0, Math.max(named, some))
        .map((one) => ({ ...one, path: shortText(one.path) })),
      unreadable: unreadable
        .slice(0, some)
        .map(({ what, reason }) => ({ what: shortText(what), reason: shortText(reason) })),
    };
    if (named < packages)
      cut.unreadable.push({
        what: untoldOwnFiles,
        reason: `those of ${packages - named} more packages are not told`,
      });
    if (most === 1 || Buffer.byteLength(JSON.stringify(cut)) <= bytes) return cut;
  }
};

/** The scan's words, if it is of the instance that runs now; no words are no "nothing stale". */
const scanOf = ({ container, state, scan }: Known): Found => {
  if (!isScanned(container)) return nothing;
  if (state === null) return unread('its runtime does not answer');
  if (state.instance === null)
    return seenState(state) === 'changing' ? unread(`it is ${state.state}`) : nothing;
  if (scan === null || !sameInstance(scan.instance, state.instance))
    return unread('it was not scanned yet');
  return scan;
};

/**
 * Stands on the host's root, in keys that today's LXC reads. One in the keys of LXC before 3 is listed and
 * left alone: stopped, it might not start again.
 */
const onHostRoot = ({ root }: RuntimeContainer): boolean => root.kind === 'host-overlay';

/** Why it is left alone, and what ends that; `` of one that is not. */
const rootNoteOf = ({ root, name, configPath }: RuntimeContainer): string => {
  switch (root.kind) {
    case 'host-overlay':
      return '';
    case 'host-overlay-old-keys':
      return `its configuration has keys of LXC before 3, with which today's LXC does not start it; to mend that: ${rewriteOldForm(configPath ?? `/var/lib/lxc/${name}/config`)}`;
    case 'other':
      return `it does not stand on the host root: ${root.describe}`;
  }
};

/** By what a container went down that is down, but for our own doing, as the journal remembers it. */
export type DownBy = 'owner' | 'death' | null;

export const downByOf = (known: KnownContainer | undefined): DownBy =>
  known?.ownerStopped === true ? 'owner' : known?.died === true ? 'death' : null;

export const containerView = (
  known: Known,
  downBy: DownBy,
  limits = viewLimits(1),
): ContainerView => {
  const { container, state } = known;
  const { health, reason } = healthOf(known);
  return {
    name: container.name,
    groups: container.groups,
    address: container.address,
    onHostRoot: onHostRoot(container),
    oldForm: container.root.kind === 'host-overlay-old-keys',
    rootNote: rootNoteOf(container),
    state: state === null ? 'changing' : seenState(state),
    instance: state?.instance ?? null,
    identity: container.identity ?? null,
    health,
    healthReason: shortText(reason),
    ...fitting(scanOf(known), limits),
    ownerStopped: downBy === 'owner',
    // One that is up again may not be known as such yet.
    died: downBy === 'death' && state?.state === 'stopped',
    optOut: known.optOut,
    parked: known.parked,
    unhidden: known.unhidden.slice(0, tellAtMost).map(shortText),
  };
};
