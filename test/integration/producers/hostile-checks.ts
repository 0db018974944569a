import assert from 'node:assert/strict';
import type { Advisory, VersionScheme } from '../../../src/core/advisories/advisory.ts';
import { parseDebVersion } from '../../../src/core/versions/compare-deb-versions.ts';
import { parseRpmVersion } from '../../../src/core/versions/compare-rpm-versions.ts';
import { FeedError } from '../../../src/producers/advisories/feed-error.ts';
import type { AdvisorySource, FeedFile } from '../../../src/producers/advisories/feed-file.ts';
import { openFeedFiles } from '../../../src/producers/advisories/open-feed-files.ts';
import { readWhole } from '../../../src/producers/advisories/read-whole.ts';
import { parsed } from '../../producers/advisories/feed-files.ts';

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

/** Without what is written in one way or another: `RHSA-2022:0011`, `rhsa-2022_0011`. */
const bare = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, '');

/** Names that stand nowhere in the documents. An id with a slash is made of a suite's name and a package's. */
const inventedIn = (advisories: readonly Advisory[], text: string): string[] => {
  const names = advisories.flatMap(({ id, affected }) => [
    ...[id].filter((one) => !one.includes('/')),
    ...affected.map(({ name }) => name),
  ]);
  const content = bare(text);
  return [...new Set(names)].filter((name) => !content.includes(bare(name)));
};

/**
 * Whether a source lives through files, and hands on nothing that is no advisory: no more than the `most` that there
 * were, each of the form that is promised, and of names that stand in the files. What it says of the rest is something, and not
 * without end. Throws where it is otherwise.
 */
export const assertSound = async (
  source: AdvisorySource,
  files: readonly FeedFile[],
  most: number,
): Promise<void> => {
  const { advisories, problems } = await parsed(source, files);
  assert.ok(advisories.length <= most, `${advisories.length} advisories, of ${most}`);
  assert.deepEqual(advisories.flatMap(oddities), []);
  const contents = await Promise.all(files.map((file) => readWhole(file, 2 ** 28)));
  assert.deepEqual(inventedIn(advisories, contents.map(String).join('\n')), []);
  const silent = problems.filter((one) => one.reason === '' || JSON.stringify(one).length > 4000);
  assert.deepEqual(silent, []);
};

/** What an archive of a few records may cost. */
const limits = { documentBytes: 4_000_000, totalBytes: 8_000_000, ratio: 500, entries: 50 };

/** Whether what lies at a path can be opened: what cannot be read is told, and costs no more than it may. */
export const assertBounded = async (path: string): Promise<void> => {
  let size = 0;
  const read = async (file: FeedFile): Promise<void> => {
    for await (const piece of file.read()) size += piece.length;
  };
  const told = (error: unknown): void => {
    assert.ok(error instanceof FeedError, error as Error);
  };
  try {
    for await (const file of openFeedFiles(path, limits)) {
      assert.match(file.name, /^[^/\p{Cc}][^\p{Cc}]*$/u);
      await read(file).catch(told);
    }
  } catch (error) {
    told(error);
  }
  assert.ok(size < 9_000_000, `${size} bytes were read`);
};
