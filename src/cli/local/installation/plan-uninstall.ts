import { basename, dirname } from 'node:path';
import type { DesiredEntry } from './desired.ts';
import { manifestPath, unitDirectory } from './desired.ts';
import { contentHash } from './manifest.ts';
import type { Manifest } from './manifest.ts';
import type { Change, HostState, Plan } from './plan.ts';

export interface UninstallOptions {
  /** Also configuration that was changed, keys, journal, store and spool. */
  purge: boolean;
  groupOptions: readonly string[];
}

/** The files to remove, last written first: what calls before what is called. */
const planFiles = (
  state: HostState,
  manifest: Manifest,
  entries: ReadonlyMap<string, DesiredEntry>,
  purge: boolean,
): { changes: Change[]; notes: string[] } => {
  const changes: Change[] = [];
  const notes: string[] = [];
  for (const [path, hash] of Object.entries(manifest.files).reverse()) {
    const found = state.at(path);
    if (found.kind !== 'file') continue;
    const entry = entries.get(path);
    const changed = contentHash(found.content) !== hash;
    if (changed && entry?.kind === 'file' && entry.optional)
      notes.push(`${path} is not from setup any more and stays.`);
    else if (changed && entry?.kind === 'file' && entry.editable && !purge)
      notes.push(`${path} was changed and stays; --purge takes it away too.`);
    else changes.push({ kind: 'remove-file', path, before: found.content });
  }
  return { changes, notes };
};

/** Directories that setup made and that will be empty, innermost first. */
const planDirectories = (
  state: HostState,
  manifest: Manifest,
  gone: Set<string>,
  purgeable: readonly string[],
): { changes: Change[]; notes: string[] } => {
  const changes: Change[] = [];
  const notes: string[] = [];
  const deepestFirst = [...manifest.directories].sort(
    (a, b) => b.split('/').length - a.split('/').length,
  );
  for (const path of deepestFirst) {
    const found = state.at(path);
    if (found.kind !== 'directory' || gone.has(path)) continue;
    const left = found.entries.filter((name) => !gone.has(`${path}/${name}`));
    if (left.length > 0)
      notes.push(
        `${path} stays: there is more in it (${left.slice(0, 3).join(', ')}${left.length > 3 ? ', …' : ''})${purgeable.includes(path) ? '; --purge takes it away too' : ''}.`,
      );
    else {
      gone.add(path);
      changes.push({ kind: 'remove-directory', path });
    }
  }
  return { changes, notes };
};

const insideAny = (path: string, gone: ReadonlySet<string>): boolean => {
  for (let parent = dirname(path); parent !== '/'; parent = dirname(parent))
    if (gone.has(parent)) return true;
  return false;
};

/**
 * What is Groundswell's alone, by its name or because setup made it: a data directory that an
 * operator had before may hold other things, and is left to the operator.
 */
const wholeTrees = (desired: readonly DesiredEntry[], manifest: Manifest): string[] =>
  desired.flatMap(({ kind, path }) =>
    kind === 'directory' &&
    (basename(path) === 'groundswell' || manifest.directories.includes(path))
      ? [path]
      : [],
  );

/** What must be done so that nothing of setup is left; data stays unless `purge`. Pure. */
export const planUninstall = (
  desired: readonly DesiredEntry[],
  state: HostState,
  manifest: Manifest,
  { purge, groupOptions }: UninstallOptions,
): Plan => {
  const changes: Change[] = [];
  // Whichever runs: an operator may have started another than setup did.
  const unitFiles = Object.keys(manifest.files)
    .filter((path) => path.startsWith(unitDirectory) && state.at(path).kind === 'file')
    .map((path) => basename(path));
  if (state.systemd && unitFiles.length > 0)
    changes.push({ kind: 'run', argv: ['systemctl', 'disable', '--now', ...unitFiles] });
  const entries = new Map(desired.map((entry) => [entry.path, entry]));
  const files = planFiles(state, manifest, entries, purge);
  changes.push(...files.changes);
  const gone = new Set(files.changes.flatMap((change) => ('path' in change ? [change.path] : [])));
  if (state.systemd && [...gone].some((path) => path.startsWith(unitDirectory)))
    changes.push({ kind: 'run', argv: ['systemctl', 'daemon-reload'] });
  if (manifest.group && state.group === 'present')
    changes.push({ kind: 'run', argv: ['groupdel', ...groupOptions, 'groundswell'] });
  if (state.at(manifestPath).kind === 'file') gone.add(manifestPath);
  const trees = wholeTrees(desired, manifest);
  for (const path of purge ? trees : []) {
    if (state.at(path).kind !== 'directory' || insideAny(path, gone)) continue;
    gone.add(path);
    changes.push({ kind: 'remove-tree', path });
  }
  const directories = planDirectories(
    state,
    { ...manifest, directories: manifest.directories.filter((path) => !insideAny(path, gone)) },
    gone,
    trees,
  );
  changes.push(...directories.changes);
  return {
    changes,
    notes: [...files.notes, ...directories.notes],
    problems: [],
    manifest: null,
  };
};
