import { z } from 'zod';
import { errorText } from '../../../core/error-text.ts';
import { below, nameAt, pathOf } from '../fetch/addresses-below.ts';
import { FetchError } from '../fetch/fetch-error.ts';
import { fetchText } from '../fetch/fetch-text.ts';
import type { FetchContext, Fetcher } from '../fetch/fetcher.ts';
import { contentOf, fileHash } from '../fetch/file-content.ts';
import type { Mirror } from '../fetch/mirror.ts';
import { mirrored } from '../fetch/mirror.ts';
import { Known, objection } from '../fetch/objection.ts';
import type { Objection } from '../fetch/objection.ts';
import { openFeedFiles } from '../open-feed-files.ts';
import { plainFiles } from '../fetch/plain-files.ts';
import type { Inspect } from '../fetch/plain-files.ts';
import { redirectOf } from '../fetch/redirect.ts';
import { xmlRecords } from '../xml-records.ts';
import type { UpdateinfoEntry } from './read-repomd.ts';
import { readRepomd } from './read-repomd.ts';
import { UPDATEINFO } from './source.ts';

const INDEX = 'repodata/repomd.xml';
const MOST_INDEX_BYTES = 16 * 1024 * 1024;
const MOST_BYTES = 1024 ** 3;

const State = z.object({
  etag: z.string().nullable(),
  lastModified: z.string().nullable(),
  made: z.number().nullable(),
  /** The file of advisories. */
  path: z.string(),
  checksum: z.string(),
  /** What is known of that file; null: it came before that was asked. */
  known: Known.nullable().default(null),
});
type State = z.infer<typeof State>;

/** Plain names below the repository, none of them hidden or leading out of it. */
const SAFE_PATH = /^(?:[\w+~-][\w.+~-]*\/)*[\w+~-][\w.+~-]*$/;

/** Where the repository is: at its address, or where the first line of a list of mirrors says. */
const repositoryAt = async (mirror: Mirror<State>, context: FetchContext): Promise<string> => {
  const { url } = context.address;
  const path = pathOf(url);
  if (path.endsWith(`/${INDEX}`)) return url.replace(/\/repodata\/repomd\.xml(?=\?|#|$)/, '');
  if (!/\/mirror\.?list$/.test(path)) return url;
  const list = await fetchText(url, mirror, context);
  const [first = null] = list.split(/\s+/).filter((line) => /^https?:/.test(line));
  return redirectOf(new URL(url), first).href;
};

/** Downloads what the index names. Tells why it is not just that; null: it is. */
const fetchNamed = async (
  url: string,
  { checksum, size }: UpdateinfoEntry,
  to: string,
  { http, signal }: FetchContext,
): Promise<string | null> => {
  if ((size ?? 0) > MOST_BYTES) return `${INDEX} says it has ${size ?? 0} bytes: too many`;
  const came = await http.download({ url, to, maxBytes: MOST_BYTES }, signal);
  const bytes = came.changed ? came.bytes : 0;
  if (size !== null && bytes !== size) return `it has ${bytes} bytes, and ${INDEX} says ${size}`;
  const actual = await fileHash(to, checksum.algorithm);
  return actual === checksum.value
    ? null
    : `its ${checksum.algorithm} is ${actual}, and ${INDEX} says ${checksum.value}`;
};

/** Counts the updates in it. Throws where it is damaged. */
const inspect: Inspect = async (files) => {
  let records = 0;
  for await (const file of files)
    for await (const record of xmlRecords(file.read(), 'updates', 'update')) {
      if (record.kind === 'broken') throw new Error(record.reason);
      records += 1;
    }
  return { records, newest: null };
};

const older = (made: number | null, known: number | null): string | null =>
  made !== null && known !== null && made < known
    ? `the mirror offers an older state (${new Date(made * 1000).toISOString()}) than the one that is here (${new Date(known * 1000).toISOString()})`
    : null;

const fetchRepository = mirrored(
  State,
  async (mirror, context) => {
    const had = mirror.state;
    const isWhole = had !== null && (await mirror.has(INDEX)) && (await mirror.has(had.path));
    const known = isWhole ? had : null;
    const repository = await repositoryAt(mirror, context);
    const url = below(repository, INDEX);
    const index = mirror.incoming(INDEX);
    const came = await context.http.download(
      { url, to: index, maxBytes: MOST_INDEX_BYTES, ...(known === null ? {} : { unless: known }) },
      context.signal,
    );
    const refuse = (
      file: string,
      reason: string,
      more: Omit<Objection, 'reason'> = {},
    ): { state: State; complete: true } => {
      if (known === null) throw new FetchError(url, reason);
      mirror.refuse({ file, reason, ...more });
      return { state: known, complete: true };
    };
    if (!came.changed && known !== null) return { state: known, complete: true };
    const read = await readRepomd(INDEX, contentOf(index));
    if (!read.ok) return refuse(INDEX, `${read.field} ${read.reason}`.trim());
    const { updateinfo, made } = read;
    const reason = older(made, known?.made ?? null);
    if (reason !== null) return refuse(INDEX, reason);
    if (updateinfo === null) return refuse(INDEX, 'this repository names no updateinfo');
    const { path, checksum } = updateinfo;
    if (!SAFE_PATH.test(path) || path === INDEX || path.length > 300)
      return refuse(
        INDEX,
        `it names ${JSON.stringify(path.slice(0, 100))}, which is no path in it`,
      );
    let fresh = known?.known ?? null;
    if (fresh === null || known?.path !== path || known.checksum !== checksum.value) {
      const to = mirror.incoming(path);
      const mismatch = await fetchNamed(below(repository, path), updateinfo, to, context);
      if (mismatch !== null) return refuse(path, mismatch);
      const had = fresh;
      try {
        fresh = {
          ...{ etag: null, lastModified: null },
          ...(await inspect(openFeedFiles(to))),
        };
      } catch (error) {
        return refuse(path, `what came is damaged: ${errorText(error)}`);
      }
      // A repository may well have none yet; one that had some does not lose all of them.
      const against =
        (had?.records ?? 0) === 0
          ? null
          : objection(fresh, had, context.now(), context.evenIfMostIsGone);
      if (against !== null) return refuse(path, against.reason, against);
      await mirror.put(to, path);
    }
    await mirror.put(index, INDEX);
    await mirror.removeOthers(new Set([INDEX, path]));
    const validators = came.changed ? came.validators : { etag: null, lastModified: null };
    return {
      state: { ...validators, made, path, checksum: checksum.value, known: fresh },
      complete: true,
    };
  },
  { together: true },
);

const fetchFile = plainFiles(({ url }) => [{ url, name: nameAt(url, 'updateinfo.xml') }], inspect);

/**
 * The advisories of a repository of rpm packages, at its address or that of its `repomd.xml` or `mirror.list`: by its index,
 * and only if they have the checksum that stands there. Or an `updateinfo.xml` alone.
 */
export const fetchUpdateinfo: Fetcher = async (context) =>
  UPDATEINFO.test(pathOf(context.address.url)) ? fetchFile(context) : fetchRepository(context);
