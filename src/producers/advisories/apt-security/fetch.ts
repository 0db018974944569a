import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { errorText } from '../../../core/error-text.ts';
import { below, pathOf } from '../fetch/addresses-below.ts';
import { FetchError } from '../fetch/fetch-error.ts';
import type { FeedAddress, FetchContext } from '../fetch/fetcher.ts';
import type { Mirror } from '../fetch/mirror.ts';
import { mirrored } from '../fetch/mirror.ts';
import type { Index } from './choose-indexes.ts';
import { chooseIndexes } from './choose-indexes.ts';
import { readRelease } from './read-release.ts';
import type { Suite } from './suite.ts';
import { verifyWith } from './verify-with.ts';

const MOST_RELEASE_BYTES = 16 * 1024 * 1024;
const MOST_INDEX_BYTES = 256 * 1024 * 1024;
/** Clocks differ. */
const FUTURE_MS = 60 * 60 * 1000;

const State = z.object({
  etag: z.string().nullable(),
  lastModified: z.string().nullable(),
  date: z.string().nullable(),
  validUntil: z.string().nullable(),
  /** Checksums of the lists that are here, by their names in the directory. */
  indexes: z.record(z.string(), z.string()),
});
type State = z.infer<typeof State>;

const SUITE = /^[a-z0-9][a-z0-9.+-]*(?:\/[a-z0-9][a-z0-9.+-]*)*$/i;

/** The suite that an address means: named beside it, or in it as `…/dists/<suite>`. */
const suiteAt = ({ url, suite }: FeedAddress): { base: string; suite: string } => {
  const [, archive, named] = /^(.*)\/dists\/(.+?)(?:\/InRelease)?\/*$/.exec(pathOf(url)) ?? [];
  const name = suite ?? named;
  if (name === undefined || !SUITE.test(name))
    throw new FetchError(url, 'want the suite, as in <archive>/dists/bookworm-security');
  const root = new URL(url);
  if (archive !== undefined) root.pathname = archive;
  return { base: below(root.href, `dists/${name}`), suite: name };
};

const verifiedSuite = async (
  path: string,
  { address, directory }: FetchContext,
): Promise<Suite | string> =>
  readRelease(await readFile(path), verifyWith(address.keyring, `${directory}/.incoming/keys`));

/** Why a suite that is well signed is not to be taken; null: it is. */
const objection = (suite: Suite, asked: string, known: State | null, now: Date): string | null => {
  const { date, validUntil, names } = suite;
  if (!names.includes(asked)) return `it is the suite ${suite.name}, not ${asked}`;
  if (date !== null && date.getTime() > now.getTime() + FUTURE_MS)
    return `it is of the future (${date.toISOString()})`;
  const had = known?.date ?? null;
  if (had !== null && (date === null || date.toISOString() < had))
    return `the mirror offers an older state (${date?.toISOString() ?? 'without a date'}) than the one that is here (${had})`;
  return expired(validUntil?.toISOString() ?? null, now);
};

const expired = (validUntil: string | null, now: Date): string | null =>
  validUntil !== null && validUntil < now.toISOString()
    ? `it was valid until ${validUntil}: the mirror is old`
    : null;

/** Downloads a list of packages. Tells why it is not the one that `InRelease` means; null: it is. */
const fetchIndex = async (
  base: string,
  { path, size, sha256 }: Index,
  hasByHash: boolean,
  to: string,
  { http, signal }: FetchContext,
): Promise<string | null> => {
  if (size > MOST_INDEX_BYTES) return `InRelease says it has ${size} bytes: too many`;
  const get = async (file: string) =>
    http.download({ url: below(base, file), to, maxBytes: MOST_INDEX_BYTES }, signal);
  const byHash = `${path.replace(/[^/]+$/, '')}by-hash/SHA256/${sha256}`;
  const came = await get(hasByHash ? byHash : path).catch(async (error: unknown) => {
    // A mirror may leave them out, whatever the archive says.
    if (!hasByHash || !(error instanceof FetchError) || error.status !== 404) throw error;
    return get(path);
  });
  if (!came.changed) return null;
  if (came.bytes !== size) return `it has ${came.bytes} bytes; InRelease says ${size}`;
  return came.sha256 === sha256 ? null : 'its checksum is not the one in InRelease';
};

const work = async (
  mirror: Mirror<State>,
  context: FetchContext,
): Promise<{ state: State; complete: boolean }> => {
  const { address, http, signal, now } = context;
  const { base, suite: asked } = suiteAt(address);
  const directory = `dists/${asked}`;
  const release = `${directory}/InRelease`;
  const names = [release, ...Object.keys(mirror.state?.indexes ?? {})];
  const isWhole = (await Promise.all(names.map(mirror.has))).every(Boolean);
  const known = isWhole ? mirror.state : null;
  const url = below(base, 'InRelease');
  const to = mirror.incoming(release);
  const came = await http.download(
    { url, to, maxBytes: MOST_RELEASE_BYTES, ...(known === null ? {} : { unless: known }) },
    signal,
  );
  const refuse = (file: string, reason: string): { state: State; complete: boolean } => {
    if (known === null) throw new FetchError(url, reason);
    mirror.refuse({ file, reason });
    return { state: known, complete: true };
  };
  if (!came.changed) {
    const reason = expired(known?.validUntil ?? null, now());
    if (reason !== null) return refuse(release, reason);
    if (known !== null) return { state: known, complete: true };
  }
  const suite = await verifiedSuite(to, context).catch(errorText);
  if (typeof suite === 'string') return refuse(release, suite);
  const reason = objection(suite, asked, known, now());
  if (reason !== null) return refuse(release, reason);
  const indexes = chooseIndexes(suite, address);
  if (typeof indexes === 'string') return refuse(release, indexes);
  const fresh: [incoming: string, name: string][] = [];
  for (const index of indexes) {
    const name = `${directory}/${index.path}`;
    if (known?.indexes[name] === index.sha256) continue;
    const incoming = mirror.incoming(name);
    const mismatch = await fetchIndex(base, index, suite.hasByHash, incoming, context);
    if (mismatch !== null) return refuse(name, mismatch);
    fresh.push([incoming, name]);
  }
  for (const [incoming, name] of fresh) await mirror.put(incoming, name);
  await mirror.put(to, release);
  const kept = Object.fromEntries(
    indexes.map(({ path, sha256 }) => [`${directory}/${path}`, sha256]),
  );
  await mirror.removeOthers(new Set([release, ...Object.keys(kept)]));
  const validators = came.changed ? came.validators : { etag: null, lastModified: null };
  const date = suite.date?.toISOString() ?? null;
  const validUntil = suite.validUntil?.toISOString() ?? null;
  return { state: { ...validators, date, validUntil, indexes: kept }, complete: true };
};

/**
 * A suite of an archive of Debian packages, as apt fetches it: `InRelease` if it is well signed, of that suite, still valid
 * and not older than the one that is here, then the lists of packages, if they are the ones that it means.
 */
export const fetchAptSecurity = mirrored(State, work, { together: true });
