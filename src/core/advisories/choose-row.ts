import type { AffectedRow } from './advisory.ts';
import type { Candidate } from './candidates.ts';
import type { InventoryPackage } from './inventory.ts';
import {
  beginsWith,
  commonParts,
  isModular,
  isNumbered,
  namesakeOf,
  numbersOfStream,
} from './modules.ts';

/** The minor release that a rpm was built for: `el9_2`; `el9` where it names none. */
const builtFor = (version: string): string | null =>
  /\.(el\d+(?:_\d+)?)(?:[._]|$)/.exec(version)?.[1] ?? null;

const nameOf = (module: string): string => module.split(':')[0] ?? '';

/** Whether a fix has a version that is of the package's stream, where the row does not say for which that is. */
const isOfStream = ({ installed, version }: Candidate, fixed: string): boolean => {
  const module = installed.module ?? installed.likelyModule ?? null;
  if (module === null) return commonParts(version, fixed) >= numbersOfStream(installed.name);
  if (!isNumbered(module)) return true;
  const stream = namesakeOf(module).version;
  // What has the version of its stream keeps it; what has one of its own keeps the beginning of that.
  return beginsWith(version, stream) ? beginsWith(fixed, stream) : commonParts(version, fixed) > 0;
};

/** Whether a row is for the module stream that a package is of, or both are of none. */
export const isOfSameModule = (candidate: Candidate, row: AffectedRow): boolean => {
  const { installed, version } = candidate;
  const label = installed.module ?? null;
  if (row.module !== null) {
    if (label !== null) return row.module === label.split(':').slice(0, 2).join(':');
    if (!isModular(version)) return false;
    const likely = installed.likelyModule;
    if (likely !== undefined && nameOf(likely) === nameOf(row.module)) return likely === row.module;
    const namesake = namesakeOf(row.module);
    if (isNumbered(row.module) && namesake.name === installed.name)
      return beginsWith(version, namesake.version);
    return row.fixed === null || commonParts(version, row.fixed) > 0;
  }
  if (row.fixed === null) return true;
  if (isModular(row.fixed) !== (label !== null || isModular(version))) return false;
  return !isModular(row.fixed) || isOfStream(candidate, row.fixed);
};

/**
 * What an advisory that names no streams tells of them: whether it is for that of the package, or for another one; null: neither is
 * told. The package that is called like its module tells: its version begins with the number of the stream (`php` 7.4.19 of `php:7.4`).
 */
export const streamOfAdvisory = (
  { module: label, likelyModule }: InventoryPackage,
  rows: readonly AffectedRow[],
  affected: readonly AffectedRow[],
): 'own' | 'other' | null => {
  const module = label ?? likelyModule ?? null;
  if (module === null || !isNumbered(module)) return null;
  const isSilent = (row: AffectedRow): boolean =>
    row.fixed !== null && row.module === null && isModular(row.fixed);
  const [first] = rows;
  if (first === undefined || !rows.every(isSilent)) return null;
  const { name, version } = namesakeOf(module);
  const namesakes = affected.filter(
    (row) => row.name === name && row.release === first.release && isSilent(row),
  );
  if (namesakes.length === 0) return null;
  const own = namesakes.filter(({ fixed }) => beginsWith(fixed ?? '', version));
  return own.length === 0 ? 'other' : own.length === namesakes.length ? 'own' : null;
};

/** Where modules are named, what is said of none, without a version, is not said of a package of one. */
export const ofModules = (
  { module, version }: InventoryPackage,
  rows: readonly AffectedRow[],
): readonly AffectedRow[] =>
  ((module ?? null) !== null || isModular(version)) && rows.some((row) => row.module !== null)
    ? rows.filter((row) => row.module !== null || row.fixed !== null)
    : rows;

/**
 * Which of an advisory's rows for one package is meant, where there are several: module streams that the feed
 * does not name, or rebuilds for minor releases. The stream is told by the beginning of the version, the minor release
 * by the mark in its release; where that leaves more than one, the newest fix, since only with that nothing is missed.
 * Null: none of them, since they are for other streams. `isOwn`: the advisory is for the package's stream.
 */
export const chooseRow = (
  candidate: Candidate,
  rows: readonly AffectedRow[],
  compare: (a: string, b: string) => number,
  isOwn: boolean,
): AffectedRow | null => {
  const fixes = rows.filter(({ fixed }) => fixed !== null);
  const same = fixes.filter((row) => isOwn || isOfSameModule(candidate, row));
  if (same.length === 0)
    return rows.find((row) => row.fixed === null && isOfSameModule(candidate, row)) ?? null;
  const [only] = same;
  if (same.length === 1 && only !== undefined) return only;
  const score = ({ fixed }: AffectedRow): number =>
    isModular(fixed ?? '') ? commonParts(candidate.version, fixed ?? '') : 0;
  const best = Math.max(...same.map(score));
  const closest = same.filter((row) => score(row) === best);
  const mark = builtFor(candidate.version);
  const marked = closest.filter(({ fixed }) => mark !== null && builtFor(fixed ?? '') === mark);
  return (marked.length > 0 ? marked : closest).reduce((newest, row) =>
    compare(row.fixed ?? '', newest.fixed ?? '') > 0 ? row : newest,
  );
};
