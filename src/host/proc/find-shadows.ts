import type { ShadowedFile } from '../../core/observation.ts';
import type { PackagedPaths } from '../../core/stale/packaged-paths.ts';
import { judgeEntry } from '../../core/stale/judge-shadow.ts';
import type { ShadowKind } from '../../core/stale/judge-shadow.ts';
import type { Effort } from './effort.ts';
import { identityOf } from './file-content.ts';
import type { ContentReader } from './file-content.ts';
import type { LowerLayer } from './lower-layer.ts';
import type { UpperLayer } from './upper-layer.ts';

export type FoundShadow = Pick<ShadowedFile, 'path' | 'kind'> & { package: string };

export interface ShadowSearch {
  upper: UpperLayer;
  lower: LowerLayer;
  packaged: PackagedPaths;
  contents: ContentReader;
  effort: Effort;
}

/** Whether both layers have a file of the same content at a path. */
export const sameInBoth = (search: ShadowSearch, path: string): boolean => {
  const { upper, lower, contents, effort } = search;
  const found = lower.stat(path);
  const at = lower.hostPath(path);
  const own = upper.source(path);
  if (found === null || at === null || own === null || !found.isFile()) return false;
  const upperStat = upper.stat(path);
  if (upperStat?.isFile() !== true) return false;
  return contents.same(
    { ...own, follow: false },
    { path: at, follow: false, identity: identityOf(found), size: found.size },
    effort,
  );
};

const childPath = (directory: string, name: string): string => `${directory}/${name}`;

/** Entries of the upper layer that packages ship something at or below, directory by directory. */
const candidates = (search: ShadowSearch, directory: string): string[] => {
  const { upper, packaged } = search;
  const shipped = packaged.inDirectory(directory === '' ? '/' : directory);
  const names = shipped.length === 0 ? null : upper.list(directory);
  if (names === null || names.size === 0) return [];
  const own = [...names.keys()].map((name) => childPath(directory, name));
  return own.filter((path) => packaged.packageOf(path) !== null);
};

/**
 * Every entry that `findShadows` may ask the attributes of: with them one child answers for all
 * containers of a scan.
 */
export const entriesToAsk = (search: ShadowSearch, directory = ''): string[] =>
  candidates(search, directory).flatMap((path) => [path, ...entriesToAsk(search, path)]);

/**
 * The packaged paths whose lower file a container does not show, because its upper layer has
 * another entry there, as the lower layer is now. Paths that are in no file list are the owner's
 * own and left out; so are directories. Throws what the layers throw.
 */
export const findShadows = (search: ShadowSearch): FoundShadow[] => {
  const { upper, lower, packaged } = search;
  const found: FoundShadow[] = [];
  const report = (path: string, kind: ShadowKind): void => {
    found.push({ path, kind, package: packaged.packageOf(path) ?? '' });
  };
  /** Everything below a path is hidden, but for files that the upper layer has just like that. */
  const hide = (path: string, kind: ShadowKind): void => {
    const lowerType = lower.entry(path)?.type;
    if (lowerType !== 'directory') report(path, kind);
    else
      for (const below of packaged.below(path)) {
        const type = lower.entry(below)?.type;
        if (type === undefined || type === 'directory') continue;
        if (!shows(below)) report(below, kind);
      }
  };
  const shows = (path: string): boolean => {
    const entry = upper.entry(path);
    if (entry === null) return false;
    const verdict = judgeEntry(entry, lower.entry(path));
    return verdict.kind === 'clean' || (verdict.kind === 'compare' && sameInBoth(search, path));
  };
  const walk = (directory: string): void => {
    for (const path of candidates(search, directory)) {
      const entry = upper.entry(path);
      if (entry === null) continue;
      const verdict = judgeEntry(entry, lower.entry(path));
      if (verdict.kind === 'merge') walk(path);
      else if (verdict.kind === 'shadow') hide(path, verdict.as);
      else if (verdict.kind === 'compare' && !sameInBoth(search, path)) report(path, 'copy');
    }
  };
  walk('');
  return found;
};
