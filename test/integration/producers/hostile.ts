import { expect } from '@jest/globals';
import type { Advisory, VersionScheme } from '../../../src/core/advisories/advisory.ts';
import { parseDebVersion } from '../../../src/core/versions/compare-deb-versions.ts';
import { parseRpmVersion } from '../../../src/core/versions/compare-rpm-versions.ts';
import type { AdvisorySource, FeedFile } from '../../../src/producers/advisories/feed-file.ts';
import { isLong } from '../../fuzz/mutations.ts';
import { parsed } from '../../producers/advisories/feed-files.ts';

/** Documents that each property makes: always the same few, or many others (`npm run test:hostile`). */
export const hostileRuns = isLong ? { numRuns: 10_000 } : { numRuns: 100, seed: 4 };
export const hostileTimeoutMs = isLong ? 7_200_000 : 60_000;

const isVersion = (text: string, scheme: VersionScheme): boolean => {
  if (scheme === 'deb') return parseDebVersion(text).ok;
  const parsedVersion = parseRpmVersion(text);
  return parsedVersion.ok && parsedVersion.version.release !== null;
};

/** What of an advisory is not of the form that is promised. */
const oddities = ({ affected, cves, id }: Advisory): string[] => [
  ...[id].filter((text) => !/^[\w.:+~/-]+$/.test(text)),
  ...cves.filter((cve) => !/^CVE-\d{4}-\d{4,}$/.test(cve)),
  ...affected.flatMap(({ name, fixed, introduced, scheme }) => [
    ...[name].filter((text) => !/^[\w+.~-]+$/.test(text)),
    ...[fixed, introduced].filter(
      (version): version is string => typeof version === 'string' && !isVersion(version, scheme),
    ),
  ]),
];

/**
 * Whether a source lives through files, and hands on nothing that is no advisory: no more than the `most` that there
 * were, and each of the form that is promised. What it says of the rest is something, and not without end.
 */
export const expectSound = async (
  source: AdvisorySource,
  files: readonly FeedFile[],
  most: number,
): Promise<void> => {
  const { advisories, problems } = await parsed(source, files);
  expect(advisories.length).toBeLessThanOrEqual(most);
  expect(advisories.flatMap(oddities)).toEqual([]);
  const silent = problems.filter((one) => one.reason === '' || JSON.stringify(one).length > 4000);
  expect(silent).toEqual([]);
};
