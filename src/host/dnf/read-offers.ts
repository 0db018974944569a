import { runQuery } from '../packages/run-query.ts';
import { asFetched, dnfEnvironment, withoutExcludes } from './dnf-host.ts';
import type { DnfHost } from './dnf-host.ts';
import { nameFailure } from './name-failure.ts';
import {
  offerFormat,
  parseAdvisoryList,
  parseCheckUpdate,
  parseOffers,
  parseRepositoryIds,
} from './parse-offers.ts';
import type { OfferedAdvisory, RpmOffer } from './parse-offers.ts';
import { parseVersionLocks } from './parse-versionlock.ts';
import type { VersionLocks } from './parse-versionlock.ts';

/** What the repositories have for some installed packages. */
export interface RpmOffers {
  /** Versions that dnf may take. */
  offers: RpmOffer[];
  /** What it would upgrade to by itself, by `name.arch`: priorities of repositories count there. */
  candidates: ReadonlyMap<string, string>;
  /** Versions that an exclude or versionlock forbids. */
  excluded: RpmOffer[];
  /** Versions of module streams that are not enabled. */
  otherStreams: RpmOffer[];
}

const QUERY_TIMEOUT_MS = 300_000;
/** Keeps the command line well below the kernel's limit. */
const NAMES_PER_CALL = 500;

/** What dnf prints to a query; throws why it cannot answer. */
const ask = async (
  host: DnfHost,
  args: readonly string[],
  allowedExitCodes: readonly number[] = [0],
): Promise<string> => {
  const argv = [host.program, '-q', ...asFetched, ...args];
  const environment = dnfEnvironment(host);
  const answer = await runQuery(argv, { timeoutMs: QUERY_TIMEOUT_MS, environment });
  if (!allowedExitCodes.includes(answer.exitCode))
    throw new Error(
      `${host.program} ${args[0] ?? ''}: ${nameFailure(answer.all, answer.exitCode).message}`,
    );
  return answer.stdout;
};

const inParts = async <T>(
  names: readonly string[],
  work: (some: readonly string[]) => Promise<T[]>,
): Promise<T[]> => {
  const all: T[] = [];
  for (let at = 0; at < names.length; at += NAMES_PER_CALL)
    all.push(...(await work(names.slice(at, at + NAMES_PER_CALL))));
  return all;
};

const available = (
  host: DnfHost,
  names: readonly string[],
  options: string[],
): Promise<RpmOffer[]> =>
  inParts(names, async (some) =>
    parseOffers(
      await ask(host, ['repoquery', '--available', ...options, '--qf', offerFormat, ...some]),
    ),
  );

const keyOf = ({ name, arch, version }: RpmOffer): string => `${name}.${arch}=${version}`;
const without = (offers: readonly RpmOffer[], others: readonly RpmOffer[]): RpmOffer[] => {
  const known = new Set(others.map(keyOf));
  return offers.filter((offer) => !known.has(keyOf(offer)));
};

/** Where there is no versionlock, or it cannot be read, a simulation still finds what is kept back. */
const readLocks = async (host: DnfHost): Promise<VersionLocks> => {
  const anyExit = Array.from({ length: 256 }, (_, code) => code);
  return parseVersionLocks(await ask(host, ['versionlock', 'list'], anyExit), host.generation);
};

/** Asks dnf what the repositories have for packages of these names. Throws when it cannot answer. */
export const readOffers = async (
  host: DnfHost,
  packageNames: readonly string[],
): Promise<RpmOffers> => {
  const names = [...new Set(packageNames)];
  if (names.length === 0)
    return { offers: [], candidates: new Map(), excluded: [], otherStreams: [] };
  const anyStream = '--disable-modular-filtering';
  const shown = await available(host, names, []);
  const all = await available(host, names, [...withoutExcludes(host), anyStream]);
  const hidden = without(all, shown);
  const excluded =
    hidden.length === 0 ? [] : without(await available(host, names, withoutExcludes(host)), shown);
  // A query shows locked versions too.
  const allows = await readLocks(host);
  const candidates = await inParts(names, async (some) => [
    // 100 says that there are updates.
    ...parseCheckUpdate(await ask(host, ['check-update', ...some], [0, 100])),
  ]);
  return {
    offers: shown.filter(allows),
    excluded: [...excluded, ...shown.filter((offer) => !allows(offer))],
    otherStreams: without(hidden, excluded),
    candidates: new Map(candidates),
  };
};

/** What dnf would upgrade to by itself, by `name.arch`; or, with everything, if nothing were kept back. Throws when it cannot answer. */
export const readCandidates = async (
  host: DnfHost,
  { everything }: { everything: boolean },
): Promise<ReadonlyMap<string, string>> => {
  const noLocks = host.generation === 5 ? [] : ['--disableplugin=versionlock'];
  const options = everything ? [...withoutExcludes(host), ...noLocks] : [];
  // 100 says that there are updates.
  return parseCheckUpdate(await ask(host, ['check-update', ...options], [0, 100]));
};

/** What the versions that repositories have of some packages, named as `name.arch`, are built from, by `name.arch=version`. */
export const readSources = async (
  host: DnfHost,
  labels: readonly string[],
): Promise<ReadonlyMap<string, Pick<RpmOffer, 'source' | 'sourceVersion'>>> => {
  const names = labels.map((label) => label.slice(0, label.lastIndexOf('.')));
  const offers = await available(host, [...new Set(names)], withoutExcludes(host));
  return new Map(offers.map((offer) => [keyOf(offer), offer]));
};

/** Which repository each installed package came from, by `name.arch=version`; of what rpm alone installed dnf knows none. */
export const readOrigins = async (host: DnfHost): Promise<ReadonlyMap<string, string>> => {
  const format = offerFormat.replace('%{repoid}', '%{from_repo}');
  const rows = parseOffers(await ask(host, ['repoquery', '--installed', '--qf', format]));
  return new Map(
    rows
      .map((one): [string, string] => [keyOf(one), one.repository.replace(/^@/, '')])
      .filter(([, repository]) => !['', 'System', '<unknown>', '(none)'].includes(repository)),
  );
};

/** Ids of the repositories that are enabled. */
export const readRepositoryIds = async (host: DnfHost): Promise<string[]> =>
  parseRepositoryIds(await ask(host, ['repolist', '--enabled']));

/** Advisories of the repositories for newer versions of installed packages. */
export const readAdvisories = async (host: DnfHost): Promise<OfferedAdvisory[]> => {
  const command = host.generation === 5 ? ['advisory', 'list', '--json'] : ['updateinfo', 'list'];
  return parseAdvisoryList(await ask(host, command), host.generation);
};
