import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DesiredEntry } from './desired.ts';
import { manifestPath } from './desired.ts';
import { emptyManifest, parseManifest } from './manifest.ts';
import type { Manifest } from './manifest.ts';
import { parentsOf } from './plan.ts';
import type { Found, HostState } from './plan.ts';

const look = async (path: string): Promise<Found> => {
  try {
    const found = await lstat(path);
    const mode = found.mode & 0o7777;
    if (found.isDirectory()) return { kind: 'directory', mode, entries: await readdir(path) };
    if (found.isFile()) return { kind: 'file', mode, content: await readFile(path, 'utf8') };
    return { kind: 'other' };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'absent' };
    throw error;
  }
};

/** A parent may be a link (such as /var to /srv/var); what is ours never is. */
const lookThroughLinks = async (root: string, path: string): Promise<Found> => {
  const found = await look(join(root, path));
  if (found.kind !== 'other') return found;
  const entries = await readdir(join(root, path)).catch(() => null);
  return entries === null ? found : { kind: 'directory', mode: 0o755, entries };
};

export const readManifest = async (root: string): Promise<Manifest> => {
  const found = await look(join(root, manifestPath));
  return found.kind === 'file' ? parseManifest(found.content, manifestPath) : emptyManifest;
};

/** What there is now of everything that setup and uninstall may touch. `root` is `/` or another tree. */
export const readHost = async (
  root: string,
  desired: readonly DesiredEntry[],
  manifest: Manifest,
  keys: readonly string[],
): Promise<HostState> => {
  const ours = [
    ...desired.map(({ path }) => path),
    ...Object.keys(manifest.files),
    ...keys,
    manifestPath,
  ];
  const around = [...ours.flatMap(parentsOf), ...manifest.directories];
  const found = new Map<string, Found>();
  for (const path of new Set(around)) found.set(path, await lookThroughLinks(root, path));
  const desiredDirectories = new Set(
    desired.flatMap(({ kind, path }) => (kind === 'directory' ? [path] : [])),
  );
  for (const path of new Set(ours))
    if (!found.has(path) || desiredDirectories.has(path))
      found.set(path, await look(join(root, path)));
  const groups = await look(join(root, '/etc/group'));
  const running = await look(join(root, '/run/systemd/system'));
  return {
    at: (path) => found.get(path) ?? { kind: 'absent' },
    group:
      groups.kind !== 'file'
        ? 'unknown'
        : /^groundswell:/m.test(groups.content)
          ? 'present'
          : 'absent',
    systemd: root === '/' && running.kind === 'directory',
  };
};
