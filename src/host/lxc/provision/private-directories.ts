import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** A directory of the host that no container may look into. */
export interface PrivateDirectory {
  /** Absolute path on the host, links in its parents followed. */
  path: string;
  /** Permissions of the empty directory that containers see, where the host has none to copy. */
  mode: number;
}

/** Users' files, sockets and temporary files, other containers, Groundswell's keys and journal. */
const wanted = (lxcPath: string): PrivateDirectory[] => [
  { path: '/root', mode: 0o700 },
  { path: '/home', mode: 0o755 },
  { path: '/tmp', mode: 0o1777 },
  { path: '/run', mode: 0o755 },
  { path: lxcPath, mode: 0o755 },
  { path: '/etc/groundswell', mode: 0o700 },
  { path: '/var/lib/groundswell', mode: 0o700 },
  { path: '/var/spool/groundswell', mode: 0o700 },
];

const resolveOrSame = (path: string): Promise<string> => realpath(path).catch(() => path);

/**
 * The private directories of this host. One that is a link (such as `/home` to `/srv/home`) counts
 * twice: the link is hidden, and what it leads to as well.
 */
export const privateDirectories = async (lxcPath: string): Promise<PrivateDirectory[]> => {
  const found = new Map<string, PrivateDirectory>();
  for (const { path, mode } of wanted(lxcPath)) {
    const link = join(await resolveOrSame(dirname(path)), basename(path));
    for (const resolved of [link, await resolveOrSame(path)])
      if (!found.has(resolved)) found.set(resolved, { path: resolved, mode });
  }
  return [...found.values()];
};
