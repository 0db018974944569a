import type { ContainerView } from '../../core/messages.ts';
import { sameInstance } from '../../core/observation.ts';
import type { ContainerScan, Health, ShadowedFile } from '../../core/observation.ts';
import type { RuntimeContainer, RuntimeState } from '../../host/runtime.ts';
import { rewriteOldForm } from '../../host/lxc/old-form.ts';
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

/** More than this of a kind is not told: an observation has a largest size. */
const tellAtMost = 50;

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

/** So many of them as are told; however many files of its own it has, each package of them is named. */
const toldOf = (shadowed: readonly ShadowedFile[]): ShadowedFile[] => {
  if (shadowed.length <= tellAtMost) return [...shadowed];
  const packages = new Set<string>();
  const [first, others]: [ShadowedFile[], ShadowedFile[]] = [[], []];
  for (const file of shadowed) {
    (packages.has(file.package) ? others : first).push(file);
    packages.add(file.package);
  }
  return [...first, ...others].slice(0, tellAtMost);
};

/** The scan's words, if it is of the instance that runs now; no words are no "nothing stale". */
const scanOf = ({ container, state, scan }: Known): Found => {
  if (!isScanned(container)) return nothing;
  if (state === null) return unread('its runtime does not answer');
  if (state.instance === null)
    return seenState(state) === 'changing' ? unread(`it is ${state.state}`) : nothing;
  if (scan === null || !sameInstance(scan.instance, state.instance))
    return unread('it was not scanned yet');
  return {
    stale: scan.stale.slice(0, tellAtMost),
    shadowed: toldOf(scan.shadowed),
    unreadable: scan.unreadable.slice(0, tellAtMost),
  };
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

export const containerView = (known: Known, ownerStopped: boolean): ContainerView => {
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
    health,
    healthReason: reason,
    ...scanOf(known),
    ownerStopped,
    optOut: known.optOut,
    parked: known.parked,
    unhidden: known.unhidden,
  };
};
