import { realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

/** Where things of this host lie that no container may look into, as it is configured. */
export interface PrivatePlaces {
  /** Where LXC keeps its containers. */
  lxcPath: string;
  /** Directories and files of Groundswell's own, besides those in the usual places. */
  own: readonly string[];
}

/** A directory of the host that no container may look into. */
export interface PrivateDirectory {
  /** Absolute path on the host, links in its parents followed. A file is covered by a directory as well. */
  path: string;
  /** Permissions of the empty directory that containers see, where the host has none to copy. */
  mode: number;
}

/** Users' files, sockets and temporary files, other containers, Groundswell's keys and journal. */
const wanted = ({ lxcPath, own }: PrivatePlaces): PrivateDirectory[] => [
  { path: '/root', mode: 0o700 },
  { path: '/home', mode: 0o755 },
  { path: '/tmp', mode: 0o1777 },
  { path: '/run', mode: 0o755 },
  { path: lxcPath, mode: 0o755 },
  // Also where others are configured: what was there before may still be there.
  ...['/etc/groundswell', '/var/lib/groundswell', '/var/spool/groundswell', ...own].map((path) => ({
    ...{ path, mode: 0o700 },
  })),
];

/** Links are followed in as much of a path as there is. */
const withoutLinks = (path: string): Promise<string> =>
  realpath(path).catch(async () =>
    path === '/' ? path : join(await withoutLinks(dirname(path)), basename(path)),
  );

const isBelow = (path: string, above: string): boolean => path.startsWith(`${above}/`);

/**
 * The private directories of this host. One that is a link (such as `/home` to `/srv/home`) counts
 * twice: the link is hidden, and what it leads to as well. What lies below another is hidden with it. One on a
 * filesystem of its own cannot be seen through the lower layer; hiding it does no harm, and holds when it is not mounted.
 */
export const privateDirectories = async (places: PrivatePlaces): Promise<PrivateDirectory[]> => {
  const found = new Map<string, PrivateDirectory>();
  for (const { path: spelled, mode } of wanted(places)) {
    const path = resolve(spelled);
    const link = join(await withoutLinks(dirname(path)), basename(path));
    for (const resolved of [link, await withoutLinks(path)])
      if (!found.has(resolved)) found.set(resolved, { path: resolved, mode });
  }
  const paths = [...found.keys()];
  return [...found.values()].filter(({ path }) => !paths.some((above) => isBelow(path, above)));
};
