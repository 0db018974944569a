import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import type { ParsedRecord } from '../../../core/advisories/advisory.ts';
import { errorText } from '../../../core/error-text.ts';
import type { AdvisorySource, FeedFile } from '../feed-file.ts';
import { problem } from '../parsed-record.ts';
import type { RpmPlace } from '../rpm-row.ts';
import { xmlRecords } from '../xml-records.ts';
import { readModules } from './read-modules.ts';
import { readRepomd, type UpdateinfoEntry } from './read-repomd.ts';
import { updateToAdvisory } from './update-to-advisory.ts';

/** As `createrepo` names it, with a checksum before it or not; not the `.zck` beside it, which says the same. */
export const UPDATEINFO = /updateinfo[^/]*\.xml(?:\.(?:gz|xz|bz2|zst|lzma))?$/;
const REPOMD = /(?:^|\/)repomd\.xml$/;
const XML = /\.xml(?:\.(?:gz|xz|bz2|zst|lzma))?$/;
/** More files of other names are none of a feed. */
const MOST_OTHERS = 1000;
const MODULES = /modules[^/]*\.yaml(?:\.(?:gz|xz|bz2|zst))?$/;

/** Why a stored file is not the one that its index means, or null. */
const mismatch = async (file: FeedFile, { checksum }: UpdateinfoEntry): Promise<string | null> => {
  const hash = createHash(checksum.algorithm);
  try {
    for await (const chunk of file.readRaw()) hash.update(chunk);
  } catch (error) {
    return errorText(error);
  }
  const actual = hash.digest('hex');
  return actual === checksum.value
    ? null
    : `its ${checksum.algorithm} is ${actual}, and repomd.xml says ${checksum.value}`;
};

/** Streams by the packages that are of them. */
type Streams = Map<string, string>;

/** The streams of those files that lie in the directory. */
async function* addStreams(
  streams: Streams,
  files: readonly FeedFile[],
  directory: string,
): AsyncGenerator<ParsedRecord> {
  for (const file of files) {
    if (posix.dirname(posix.normalize(file.name)) !== directory) continue;
    for await (const read of readModules(file))
      if (read.kind === 'artifact') streams.set(read.artifact, read.module);
      else yield problem(file.name, '', '', read.reason);
  }
}

async function* parseUpdates(
  file: FeedFile,
  fallback: RpmPlace | null,
  streams: Streams,
): AsyncGenerator<ParsedRecord> {
  let number = 0;
  for await (const record of xmlRecords(file.read(), 'updates', 'update')) {
    number += 1;
    if (record.kind === 'record')
      yield* updateToAdvisory(file.name, record.element, number, { fallback, streams });
    else yield problem(file.name, `update ${number}`, '', record.reason);
  }
}

async function* parse(
  files: AsyncIterable<FeedFile>,
  fallback: RpmPlace | null,
): AsyncGenerator<ParsedRecord> {
  const indexes: FeedFile[] = [];
  const updateinfos = new Map<string, FeedFile>();
  const modules: FeedFile[] = [];
  const others: FeedFile[] = [];
  for await (const file of files) {
    if (REPOMD.test(file.name)) indexes.push(file);
    else if (MODULES.test(file.name)) modules.push(file);
    else if (UPDATEINFO.test(file.name)) updateinfos.set(posix.normalize(file.name), file);
    else if (others.length < MOST_OTHERS) others.push(file);
  }
  // Where nothing is called so, whoever named a single file means that one, and of a directory what may be it.
  if (indexes.length + updateinfos.size === 0)
    for (const file of others.length === 1 ? others : others.filter(({ name }) => XML.test(name)))
      updateinfos.set(file.name, file);
  // What lies in a repository is what its index names; the others there are of yesterday, or half there.
  const indexed = new Set(indexes.map(({ name }) => posix.dirname(posix.normalize(name))));
  const loose = [...updateinfos].filter(([path]) => !indexed.has(posix.dirname(path)));

  for (const index of indexes) {
    const repomd = await readRepomd(index.name, index.read());
    if (!repomd.ok) yield problem(index.name, '', repomd.field, repomd.reason);
    if (!repomd.ok || repomd.updateinfo === null) continue;
    const { path } = repomd.updateinfo;
    // Whoever gives the directory `repodata` itself has no `repodata/` in the names.
    const beside = posix.join(posix.dirname(index.name), posix.basename(path));
    const file = updateinfos.get(path) ?? updateinfos.get(beside);
    if (file === undefined) {
      yield problem(index.name, '', 'updateinfo.href', `there is no ${path}`);
      continue;
    }
    const reason = await mismatch(file, repomd.updateinfo);
    if (reason === null) {
      const streams: Streams = new Map();
      yield* addStreams(streams, modules, posix.dirname(posix.normalize(index.name)));
      yield* parseUpdates(file, fallback, streams);
    } else yield problem(file.name, '', '', reason);
  }
  for (const [path, file] of loose) {
    const streams: Streams = new Map();
    yield* addStreams(streams, modules, posix.dirname(path));
    yield* parseUpdates(file, fallback, streams);
  }
}

/**
 * The feed of a repository of rpm packages, or of many in one tree: what `repomd.xml` names as `updateinfo`, if it has the
 * checksum that stands there, or `updateinfo.xml` files alone. An update that does not tell its distribution, as in a
 * repository of one's own, is for `fallback`. Module streams that an update does not name are those of `modules.yaml` beside it.
 */
export const updateinfoSource = (fallback: RpmPlace | null = null): AdvisorySource => ({
  name: 'updateinfo',
  parse: (files) => parse(files, fallback),
});
