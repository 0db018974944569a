import type { FeedAddress } from '../fetch/fetcher.ts';
import type { Suite } from './suite.ts';

/** The list of packages of one component for one architecture. */
export interface Index {
  /** Below the suite. */
  path: string;
  size: number;
  sha256: string;
}

/** What compresses them, in the order in which one is chosen. */
const ENDINGS = ['.xz', '.gz', '.bz2', '.zst', ''];
const PACKAGES =
  /^((?:[a-z0-9][\w.+-]*\/)*[a-z0-9][\w.+-]*)\/binary-([a-z0-9][a-z0-9-]*)\/Packages(\.xz|\.gz|\.bz2|\.zst|)$/i;

/** Of each wanted component and architecture the list that is smallest. Tells which one the suite has not, unless that is tolerated. */
export const chooseIndexes = (
  { files }: Pick<Suite, 'files'>,
  {
    components,
    architectures,
    tolerant = false,
  }: Pick<FeedAddress, 'components' | 'architectures' | 'tolerant'>,
): Index[] | string => {
  const chosen = new Map<string, Index & { rank: number }>();
  const seen = new Set<string>();
  for (const [path, { size, sha256 }] of files) {
    const [, component = '', architecture = '', ending = ''] = PACKAGES.exec(path) ?? [];
    // Packages of the installer are not those of hosts.
    if (component === '' || component.endsWith('/debian-installer')) continue;
    if (components?.includes(component) === false) continue;
    if (architectures?.includes(architecture) === false) continue;
    seen.add(component).add(architecture);
    const key = `${component} ${architecture}`;
    const rank = ENDINGS.indexOf(ending);
    if (rank < (chosen.get(key)?.rank ?? Infinity)) chosen.set(key, { path, size, sha256, rank });
  }
  const missing = [...(components ?? []), ...(architectures ?? [])].filter((one) => !seen.has(one));
  if (missing.length > 0 && !tolerant) return `it has no packages of ${missing.join(', ')}`;
  if (chosen.size === 0) return 'it has no packages';
  return [...chosen.values()].map(({ path, size, sha256 }) => ({ path, size, sha256 }));
};
