import type { AffectedRow } from './advisory.ts';
import type { Candidate } from './candidates.ts';
import type { InventoryPackage } from './inventory.ts';

const isModular = (version: string): boolean => /\.module[_+]/.test(version);

/** `1:18.18.2-2.module…` in parts: 18, 18, 2. */
const partsOf = (version: string): string[] =>
  (version.replace(/^\d+:/, '').split('-')[0] ?? '').split(/[._+~^]/);

const commonParts = (a: string, b: string): number => {
  const [x, y] = [partsOf(a), partsOf(b)];
  let count = 0;
  while (count < x.length && count < y.length && x[count] === y[count]) count += 1;
  return count;
};

/** The minor release that a rpm was built for: `el9_2`; `el9` where it names none. */
const builtFor = (version: string): string | null =>
  /\.(el\d+(?:_\d+)?)(?:[._]|$)/.exec(version)?.[1] ?? null;

/** A stream that is a number is the beginning of its versions; others (`rhel8`, `latest`) roll over them. */
const isNumbered = (module: string): boolean => /^\d/.test(module.split(':')[1] ?? '');

/** Whether a row is for the module stream that a package is of, or both are of none. */
export const isOfSameModule = ({ installed, version }: Candidate, row: AffectedRow): boolean => {
  const { fixed } = row;
  if (fixed === null) return true;
  const module = installed.module ?? null;
  if (row.module !== null && module !== null) {
    const [name, stream] = module.split(':');
    return row.module === `${name}:${stream}`;
  }
  if (isModular(fixed) !== (module !== null || isModular(version))) return false;
  if (!isModular(fixed) || (module !== null && !isNumbered(module))) return true;
  return commonParts(version, fixed) > 0;
};

/**
 * Whether an advisory that names no streams is for another one than the package's. The package that is called like its
 * module tells: its version begins with the number of the stream (`php` 7.4.19 of `php:7.4`).
 */
export const isOfOtherStream = (
  { module }: InventoryPackage,
  rows: readonly AffectedRow[],
  affected: readonly AffectedRow[],
): boolean => {
  if (module === undefined || module === null || !isNumbered(module)) return false;
  const isSilent = (row: AffectedRow): boolean =>
    row.fixed !== null && row.module === null && isModular(row.fixed);
  const [first] = rows;
  if (first === undefined || !rows.every(isSilent)) return false;
  const [name = '', stream = ''] = module.split(':');
  const namesakes = affected.filter(
    (row) => row.name === name && row.release === first.release && isSilent(row),
  );
  const wanted = partsOf(stream);
  return (
    namesakes.length > 0 &&
    !namesakes.some(({ fixed }) => {
      const parts = partsOf(fixed ?? '');
      return wanted.every((part, at) => part === parts[at]);
    })
  );
};

/**
 * Which of an advisory's rows for one package is meant, where there are several: module streams that the feed
 * does not name, or rebuilds for minor releases. The stream is told by the beginning of the version, the minor release
 * by the mark in its release; where that leaves more than one, the newest fix, since only with that nothing is missed.
 * Null: none of them, since they are for other streams.
 */
export const chooseRow = (
  candidate: Candidate,
  rows: readonly AffectedRow[],
  compare: (a: string, b: string) => number,
): AffectedRow | null => {
  const fixes = rows.filter(({ fixed }) => fixed !== null);
  const same = fixes.filter((row) => isOfSameModule(candidate, row));
  if (same.length === 0) return rows.find(({ fixed }) => fixed === null) ?? null;
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
