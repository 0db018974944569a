import { globMatches } from '../../core/glob.ts';
import { compareRpmVersions } from '../../core/versions/compare-rpm-versions.ts';
import type { RpmOffer } from './parse-offers.ts';

type Named = Pick<RpmOffer, 'name' | 'arch' | 'version'>;

/** Whether versionlock lets dnf take a version. */
export type VersionLocks = (offer: Named) => boolean;

/** `name-epoch:version-release.arch`, as `dnf versionlock add` writes it; everything after the name may be a glob. */
const NEVRA = /^(.+)-(?:(?:\d+|\*):)?[^-]+-[^-]+$/;

/** The forms in which a package may be written in dnf 4's list. */
const formsOf = ({ name, arch, version }: Named): string[] => {
  const short = version.replace(/^\d+:/, '');
  const whole = version === short ? `0:${short}` : version;
  return [whole, short].flatMap((one) => [`${name}-${one}.${arch}`, `${name}-${one}`]);
};

/**
 * Lines of dnf 4's `versionlock list`: a package of which only the versions that a pattern names may be taken, or,
 * with a `!` before it, those that may not. A bare name is every version.
 */
const parseLines = (output: string): VersionLocks => {
  const patterns = output.split('\n').filter((line) => /^!?[^\s#]\S*-\S+$/.test(line));
  const locked = patterns.filter((pattern) => !pattern.startsWith('!'));
  const barred = patterns.flatMap((pattern) => (pattern.startsWith('!') ? [pattern.slice(1)] : []));
  return (offer) => {
    const fits = (pattern: string): boolean =>
      formsOf(offer).some((form) => globMatches(pattern, form));
    if (barred.some(fits)) return false;
    const own = locked.filter((pattern) => globMatches(NEVRA.exec(pattern)?.[1] ?? '', offer.name));
    return own.length === 0 || own.some(fits);
  };
};

interface Condition {
  key: string;
  comparator: string;
  value: string;
}

const epochOf = (version: string): string => /^(\d+):/.exec(version)?.[1] ?? '0';

const holds = ({ key, comparator, value }: Condition, offer: Named): boolean => {
  if (key === 'arch') return (offer.arch === value) === (comparator === '=');
  const [a, b] = key === 'epoch' ? [epochOf(offer.version), value] : [offer.version, value];
  const order = key === 'epoch' ? Number(a) - Number(b) : compareRpmVersions(a, b);
  switch (comparator) {
    case '=':
      return order === 0;
    case '!=':
      return order !== 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
    default:
      return true;
  }
};

/** Blocks of dnf 5's `versionlock list`: a name, and conditions that must all hold; one block of a name is enough. */
const parseBlocks = (output: string): VersionLocks => {
  const blocks: { name: string; conditions: Condition[] }[] = [];
  for (const line of output.split('\n')) {
    const name = /^Package name: (\S+)$/.exec(line)?.[1];
    const [, key, comparator, value] = /^(evr|epoch|arch) (\S+) (\S+)$/.exec(line) ?? [];
    if (name !== undefined) blocks.push({ name, conditions: [] });
    else if (key !== undefined && comparator !== undefined && value !== undefined)
      blocks.at(-1)?.conditions.push({ key, comparator, value });
  }
  return (offer) => {
    const own = blocks.filter(({ name }) => globMatches(name, offer.name));
    const fits = ({ conditions }: { conditions: Condition[] }): boolean =>
      conditions.every((condition) => holds(condition, offer));
    return own.length === 0 || own.some(fits);
  };
};

/** Reads what `versionlock list` prints. */
export const parseVersionLocks = (output: string, generation: 4 | 5): VersionLocks =>
  generation === 5 ? parseBlocks(output) : parseLines(output);
