import { createHash } from 'node:crypto';
import type { FeedProblem } from '../../../core/advisories/advisory.ts';
import type { AdvisorySource, FeedFile } from '../feed-file.ts';
import { linesOf } from '../lines-of.ts';
import { problemOf } from '../problem-of.ts';
import { readWhole } from '../read-whole.ts';
import type { OfferedPackages } from './packages.ts';
import { offeredPackages, packageFields } from './packages.ts';
import { once, readRelease } from './read-release.ts';
import type { VerifySignature } from './signed-text.ts';
import { stanzas } from './stanzas.ts';
import type { Suite } from './suite.ts';

export interface AptSecurityOptions {
  verify: VerifySignature;
  now: () => Date;
  /** Of which release an index is that somebody names by hand, without its `InRelease`; left out: of none, and it is not read. */
  alone?: Pick<Suite, 'distro' | 'release'>;
}

/** An `InRelease` has some tens of kilobytes, an index of a distribution as a whole some tens of megabytes. */
const MOST_RELEASE_BYTES = 16 * 1024 * 1024;
const MOST_INDEX_BYTES = 256 * 1024 * 1024;

/** What stands before the names of a suite's files, and how their directories are written: as on a mirror, or by apt. */
const releaseName = /^(|.*([/_]))InRelease$/;
const indexName = /(^|[/_])Packages(\.(gz|xz|bz2|zst))?$/;

/** As apt may keep them (`Acquire::GzipIndexes`), and nobody publishes them. */
const otherIndexName = /(^|[/_])Packages\.(lz4|lzma)$/;

/** A suite whose `InRelease` was read; `packages` is null where it has no security updates. */
interface Known {
  base: string;
  separator: string;
  suite: Suite | null;
  packages: OfferedPackages | null;
}

const addPackages = async function* (
  file: FeedFile,
  content: Uint8Array,
  packages: OfferedPackages,
): AsyncGenerator<FeedProblem> {
  let number = 0;
  for await (const stanza of stanzas(linesOf(once(content)), packageFields)) {
    number += 1;
    const problem = packages.add(stanza);
    if (problem === null) continue;
    const record = `${number} (${(stanza.get('package') ?? '').slice(0, 80)})`;
    yield { file: file.name, record, ...problem };
  }
};

/** Takes the packages of an index, if it is the one that `InRelease` names. */
const readIndex = async function* (
  file: FeedFile,
  { base, separator }: Known,
  suite: Suite,
  packages: OfferedPackages,
): AsyncGenerator<FeedProblem> {
  const path = file.name
    .slice(base.length)
    .replaceAll(separator === '_' ? '_' : '/', '/')
    .replace(/\.(gz|xz|bz2|zst)$/, '');
  const listed = suite.files.get(path);
  if (listed === undefined) throw new Error(`${path} is not in its InRelease`);
  const content = await readWhole(file, MOST_INDEX_BYTES);
  if (content.length !== listed.size)
    throw new Error(`it has ${content.length} bytes; its InRelease says ${listed.size}`);
  if (createHash('sha256').update(content).digest('hex') !== listed.sha256)
    throw new Error('its checksum is not the one in its InRelease');
  yield* addPackages(file, content, packages);
};

/** A suite of which nothing but an index is there. */
const loneSuite = ({ distro, release }: Pick<Suite, 'distro' | 'release'>): Suite => ({
  ...{ distro, release, channel: null, name: `${distro}-${release}`, names: [] },
  ...{ date: null, validUntil: null, hasByHash: false, files: new Map() },
});

/**
 * A suite of security updates as a feed: what the archive offers is the fix. One advisory for each source package in its
 * version, with the binary packages that apt would take, for the release and service that `InRelease` tells. An index that
 * it does not name with that checksum is not read. The files lie as on a mirror or as in /var/lib/apt/lists, with
 * `InRelease` before the indexes; suites of other updates are passed over. An archive says no CVEs and no severity.
 */
export const createAptSecurity = ({ verify, now, alone }: AptSecurityOptions): AdvisorySource => ({
  name: 'apt-security',
  parse: async function* (files) {
    const known: Known[] = [];
    const lone = alone === undefined ? null : offeredPackages(loneSuite(alone));
    const passed: string[] = [];
    for await (const file of files) {
      try {
        const [, base, separator = '/'] = releaseName.exec(file.name) ?? [];
        if (base !== undefined) {
          const suite = await readRelease(await readWhole(file, MOST_RELEASE_BYTES), verify);
          if (typeof suite === 'string') {
            known.push({ base, separator, suite: null, packages: null });
            passed.push(`${file.name}: ${suite}`);
            continue;
          }
          known.push({ base, separator, suite, packages: offeredPackages(suite) });
          if (suite.validUntil !== null && suite.validUntil < now())
            yield problemOf(
              file.name,
              new Error(`it was valid until ${suite.validUntil.toISOString()}: the mirror is old`),
            );
        } else if (indexName.test(file.name) || otherIndexName.test(file.name)) {
          const one = known.findLast((suite) => file.name.startsWith(suite.base));
          if (one === undefined && known.length === 0 && lone !== null) {
            const content = await readWhole(file, MOST_INDEX_BYTES);
            for await (const problem of addPackages(file, content, lone))
              yield { kind: 'problem', problem };
            continue;
          }
          if (one === undefined) throw new Error('there is no InRelease before it that is good');
          const { suite, packages } = one;
          if (suite === null || packages === null) continue;
          if (otherIndexName.test(file.name))
            throw new Error(
              'it is compressed in a way that is not read here; /usr/lib/apt/apt-helper cat-file <file> writes what is in it',
            );
          for await (const problem of readIndex(file, one, suite, packages))
            yield { kind: 'problem', problem };
        }
      } catch (error) {
        yield problemOf(file.name, error);
      }
    }
    const suites = known.flatMap(({ packages }) => packages ?? []).concat(lone ?? []);
    if (suites.length === 0 && passed.length > 0)
      yield problemOf(
        'InRelease',
        new Error(`no suite has security updates: ${passed.join('; ')}`),
      );
    for (const packages of suites)
      for (const advisory of packages.advisories()) yield { kind: 'advisory', advisory };
  },
});
