import type { CoreComparison, ForeignPackages } from '../../../core/platforms/compare-with-core.ts';
import type { CorePackage, Manifest } from '../../../core/platforms/manifest.ts';
import { countOf, formatTable } from '../../print.ts';

const countWhy = (packages: readonly CorePackage[]): string => {
  const counts = new Map<string, number>();
  for (const { why } of packages) counts.set(why, (counts.get(why) ?? 0) + 1);
  return [...counts].map(([why, count]) => `${count} ${why}`).join(', ');
};

/** Which packages a platform's core has, and why. */
export const manifestText = ({ platform, made, packages }: Manifest, path: string | null): string =>
  [
    formatTable(
      ['package', 'why', 'of'],
      packages.map(({ name, why, of }) => [name, why, of ?? '']),
    ),
    '',
    `${platform}: ${countOf(packages.length, 'core package')} (${countWhy(packages)})`,
    `made with \`${made.by}\` on ${made.on} from ${made.from.join('; ')}${path === null ? '' : ` (${path})`}`,
  ].join('\n');

/** Where there is no manifest of a platform: which there are, and how to make one. */
export const noManifestText = (platform: string, known: readonly string[], file: string): string =>
  `there is no manifest of ${platform} (${known.length === 0 ? 'there is none at all' : `there are: ${known.join(', ')}`}). On a host of that platform: groundswell platform make --output ${file}`;

/** So many names of one origin are shown without --verbose. */
const SHOWN = 12;

const namesText = (names: readonly string[], verbose: boolean): string =>
  verbose || names.length <= SHOWN
    ? names.join(' ')
    : `${names.slice(0, SHOWN).join(' ')} and ${names.length - SHOWN} more`;

const originText = ({ origin, kind }: ForeignPackages, platform: string): string => {
  if (origin === null) return kind === 'none' ? 'no repository' : 'not told';
  return kind === 'own' ? `${origin} (of ${platform})` : origin;
};

const missingLines = ({ missing }: CoreComparison): string[] => {
  if (missing.length === 0) return [];
  return [
    `Missing (${missing.length}):`,
    formatTable(
      ['package', 'why', 'of'],
      missing.map(({ name, why, of }) => [name, why, of ?? '']),
    ),
    '',
  ];
};

/** How a host stands to its platform's core. */
export const comparisonText = (
  comparison: CoreComparison,
  { total, verbose }: { total: number; verbose: boolean },
): string => {
  const { platform, present, missing, notNeeded, foreign } = comparison;
  const beside = foreign.reduce((sum, { packages }) => sum + packages.length, 0);
  return [
    ...missingLines(comparison),
    ...(beside === 0
      ? []
      : [
          `Beside the core (${beside}):`,
          formatTable(
            ['origin', 'count', 'packages'],
            foreign.map((one) => [
              originText(one, platform),
              String(one.packages.length),
              namesText(one.packages, verbose),
            ]),
          ),
          '',
        ]),
    ...(verbose && notNeeded.length > 0
      ? [
          `Not needed (${notNeeded.length}), since what needs them is not there or has something else in their place: ${notNeeded.map(({ name }) => name).join(' ')}`,
          '',
        ]
      : []),
    `${present} of the ${countOf(total, 'core package')} of ${platform}${
      missing.length === 0 ? ', nothing is missing' : `, ${missing.length} missing`
    }${notNeeded.length === 0 ? '' : `, ${notNeeded.length} not needed`}; ${beside === 0 ? 'nothing' : countOf(beside, 'package')} beside them${
      verbose || foreign.every(({ packages }) => packages.length <= SHOWN) ? '' : ' (all names: -v)'
    }.`,
  ].join('\n');
};
