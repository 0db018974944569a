import { dirname } from 'node:path';
import { manifestPath, unitDirectory, units } from './desired.ts';
import type { DesiredEntry } from './desired.ts';
import { contentHash, formatManifest } from './manifest.ts';
import type { Manifest } from './manifest.ts';

/** One thing that is done to a host; shown before it is done. */
export type Change =
  | { kind: 'make-directory'; path: string; mode: number }
  | { kind: 'set-mode'; path: string; from: number; to: number }
  | { kind: 'write-file'; path: string; mode: number; before: string | null; after: string }
  | { kind: 'remove-file'; path: string; before: string }
  | { kind: 'remove-directory'; path: string }
  /** A directory with all that is in it: only with --purge. */
  | { kind: 'remove-tree'; path: string }
  | { kind: 'make-key'; path: string }
  | { kind: 'run'; argv: string[] };

export type Found =
  | { kind: 'absent' }
  | { kind: 'directory'; mode: number; entries: string[] }
  | { kind: 'file'; mode: number; content: string }
  /** A link, device or socket: nothing of ours. */
  | { kind: 'other' };

export interface HostState {
  at: (path: string) => Found;
  group: 'present' | 'absent' | 'unknown';
  /** False: no systemd here, or the root is not that of the running system. */
  systemd: boolean;
}

export interface Plan {
  changes: Change[];
  /** What a person should know; nothing is done for it. */
  notes: string[];
  /** What keeps the plan from being carried out. */
  problems: string[];
  /** What stands in the manifest afterwards; null: it goes with the installation. */
  manifest: Manifest | null;
}

/** `/etc/apt/apt.conf.d/x` → `/etc`, `/etc/apt`, `/etc/apt/apt.conf.d`. */
export const parentsOf = (path: string): string[] => {
  const parent = dirname(path);
  return parent === '/' ? [] : [...parentsOf(parent), parent];
};

interface Draft extends Plan {
  manifest: Manifest;
  made: Set<string>;
}

const makeDirectory = (draft: Draft, state: HostState, path: string, mode: number): void => {
  const found = state.at(path);
  if (draft.made.has(path) || found.kind === 'directory') return;
  if (found.kind !== 'absent') {
    draft.problems.push(`${path} is there and is no directory: move it away`);
    return;
  }
  draft.made.add(path);
  draft.changes.push({ kind: 'make-directory', path, mode });
  draft.manifest.directories.push(path);
};

/** Whether a file may be written there: there is none, or one that setup wrote and nobody replaced. */
const isOurs = (found: Found, hashes: readonly (string | undefined)[]): boolean =>
  found.kind === 'absent' || (found.kind === 'file' && hashes.includes(contentHash(found.content)));

const planFile = (
  draft: Draft,
  state: HostState,
  entry: Extract<DesiredEntry, { kind: 'file' }>,
): boolean => {
  const { path, mode, content: after, editable, optional } = entry;
  const found = state.at(path);
  const ours = draft.manifest.files[path];
  const strange = found.kind === 'file' && ours === undefined && found.content !== after;
  if (optional && !isOurs(found, [ours, contentHash(after)])) {
    draft.notes.push(`${path} is there already and not from setup: it is left as it is.`);
    return false;
  }
  if (found.kind === 'directory' || found.kind === 'other') {
    draft.problems.push(`${path} is there and is no plain file: move it away`);
    return false;
  }
  if (found.kind === 'file') {
    if (editable) {
      if (found.mode !== mode)
        draft.changes.push({ kind: 'set-mode', path, from: found.mode, to: mode });
      return false;
    }
    if (strange) {
      draft.problems.push(
        `${path} is there and was not written by setup: move it away, or it would be lost`,
      );
      return false;
    }
    if (found.content === after) {
      if (found.mode !== mode)
        draft.changes.push({ kind: 'set-mode', path, from: found.mode, to: mode });
      draft.manifest.files[path] = contentHash(after);
      return false;
    }
  }
  for (const parent of parentsOf(path)) makeDirectory(draft, state, parent, 0o755);
  const before = found.kind === 'file' ? found.content : null;
  draft.changes.push({ kind: 'write-file', path, mode, before, after });
  draft.manifest.files[path] = contentHash(after);
  return true;
};

export interface SetupOptions {
  /** The unit to enable and start; null: none. */
  unit: string | null;
  keys: readonly string[];
  /** Words before the group's name, for groupadd(8) and groupdel(8): `--prefix DIR` for another root. */
  groupOptions: readonly string[];
}

/** Units that may run beside each other: a server's machine may be a host too, the all-in-one is both already. */
const companionsOf = (unit: string): string[] =>
  unit === units.up ? [units.up] : [units.server, units.agent];

const planUnits = (
  draft: Draft,
  state: HostState,
  unit: string | null,
  unitsChanged: boolean,
): void => {
  const run = (...argv: string[]): number => draft.changes.push({ kind: 'run', argv });
  if (!state.systemd) {
    draft.notes.push(
      'systemd does not run here: start `groundswell up` (or `server`, `agent`) by your own means.',
    );
    return;
  }
  if (unitsChanged) run('systemctl', 'daemon-reload');
  const before = draft.manifest.unit;
  const companions = before === null ? [] : companionsOf(before);
  const displaced = unit !== null && !companions.includes(unit) ? companions : [];
  if (displaced.length > 0) run('systemctl', 'disable', '--now', ...displaced);
  else if (unitsChanged && companions.length > 0) run('systemctl', 'try-restart', ...companions);
  if (unit !== null && before !== unit) run('systemctl', 'enable', '--now', unit);
  draft.manifest.unit = unit;
};

/** What must be done so that the host has everything `desired`; nothing when it has. Pure. */
export const planSetup = (
  desired: readonly DesiredEntry[],
  state: HostState,
  manifest: Manifest,
  { unit, keys, groupOptions }: SetupOptions,
): Plan => {
  const draft: Draft = {
    ...{ changes: [], notes: [], problems: [], made: new Set() },
    manifest: structuredClone(manifest),
  };
  if (state.group === 'absent') {
    const argv = ['groupadd', ...groupOptions, '--system', 'groundswell'];
    draft.changes.push({ kind: 'run', argv });
    draft.manifest.group = true;
  } else if (state.group === 'unknown')
    draft.notes.push('There is no /etc/group: the group groundswell is not made.');
  let unitsChanged = false;
  for (const entry of desired) {
    if (entry.kind === 'directory') {
      const found = state.at(entry.path);
      for (const parent of parentsOf(entry.path)) makeDirectory(draft, state, parent, 0o755);
      if (found.kind === 'directory' && found.mode !== entry.mode)
        draft.changes.push({
          ...{ kind: 'set-mode', path: entry.path, from: found.mode, to: entry.mode },
        });
      else makeDirectory(draft, state, entry.path, entry.mode);
    } else if (planFile(draft, state, entry) && entry.path.startsWith(unitDirectory))
      unitsChanged = true;
  }
  for (const path of keys)
    if (state.at(path).kind === 'absent') draft.changes.push({ kind: 'make-key', path });
  planUnits(draft, state, unit, unitsChanged);
  const { changes, notes, problems } = draft;
  // Files that were there as they should be are ours from now on, which must be remembered.
  const after = formatManifest(draft.manifest);
  if (changes.length === 0 && after !== formatManifest(manifest))
    changes.push({ kind: 'write-file', path: manifestPath, mode: 0o600, before: null, after });
  return { changes, notes, problems, manifest: draft.manifest };
};
