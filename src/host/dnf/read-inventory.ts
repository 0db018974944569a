import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { release } from 'node:os';
import { join } from 'node:path';
import { channelsOf } from '../../core/advisories/channels-of.ts';
import type { InventoryPackage } from '../../core/advisories/inventory.ts';
import { errorText } from '../../core/error-text.ts';
import { compareRpmVersions } from '../../core/versions/compare-rpm-versions.ts';
import { fileTimes } from '../packages/file-times.ts';
import type { HostInventory } from '../packages/package-manager.ts';
import type { DnfHost } from './dnf-host.ts';
import type { RpmPackage } from './parse-rpm-packages.ts';
import { readCandidates, readOrigins, readRepositoryIds, readSources } from './read-offers.ts';
import { rpmSignature } from './rpm-place.ts';
import type { RpmPlace } from './rpm-place.ts';

type Entry = RpmPackage & { repository?: string | undefined; held?: boolean | undefined };

const entryOf = (one: Entry): InventoryPackage => ({
  ...{ name: one.name, arch: one.arch, version: one.version },
  ...(one.source === one.name ? {} : { source: one.source }),
  ...(one.sourceVersion === one.version ? {} : { sourceVersion: one.sourceVersion }),
  ...(one.module === null ? {} : { module: one.module }),
  ...(one.repository === undefined ? {} : { repository: one.repository }),
  ...(one.vendor === null ? {} : { vendor: one.vendor }),
  ...(one.held === true ? { held: true } : {}),
});

const labelOf = ({ name, arch }: RpmPackage): string => `${name}.${arch}`;

/** What dnf knows besides rpm. */
interface DnfKnowledge {
  /** What it would upgrade to if no exclude or versionlock kept anything back, and what it would. */
  candidates: ReadonlyMap<string, string>;
  allowed: ReadonlyMap<string, string>;
  /** What these are built from. */
  sources: Awaited<ReturnType<typeof readSources>>;
  /** Where each package came from. */
  origins: ReadonlyMap<string, string>;
  channels: readonly string[];
  /** Why it does not know all of that; null: it does. */
  problem: string | null;
}

const nothingOffered: Pick<DnfKnowledge, 'candidates' | 'allowed' | 'sources'> = {
  candidates: new Map(),
  allowed: new Map(),
  sources: new Map(),
};

const askOffers = async (host: DnfHost): Promise<typeof nothingOffered> => {
  const candidates = await readCandidates(host, { everything: true });
  const allowed = await readCandidates(host, { everything: false });
  const sources = await readSources(host, [...candidates.keys(), ...allowed.keys()]);
  return { candidates, allowed, sources };
};

/** One repository that cannot be read keeps dnf from saying what is offered, not from all that it knows. */
const askAll = async (host: DnfHost): Promise<DnfKnowledge> => {
  let problem: string | null = null;
  const orElse =
    <T>(otherwise: T) =>
    (error: unknown): T => {
      problem ??= errorText(error);
      return otherwise;
    };
  const offers = await askOffers(host).catch(orElse(nothingOffered));
  const origins = await readOrigins(host).catch(orElse(new Map<string, string>()));
  const channels = await readRepositoryIds(host).then(channelsOf).catch(orElse([]));
  return { ...offers, origins, channels, problem };
};

const nothingKnown: DnfKnowledge = {
  ...nothingOffered,
  ...{ origins: new Map(), channels: [], problem: null },
};

/** To which version a package may be upgraded; where to none, the one that an exclude or versionlock keeps back. */
const offerFor = (
  { allowed, candidates }: DnfKnowledge,
  one: RpmPackage,
): { version: string; held: boolean } | null => {
  const newerIn = (versions: ReadonlyMap<string, string>): string | null => {
    const version = versions.get(labelOf(one));
    return version !== undefined && compareRpmVersions(version, one.version) > 0 ? version : null;
  };
  const version = newerIn(allowed);
  if (version !== null) return { version, held: false };
  const kept = newerIn(candidates);
  return kept === null ? null : { version: kept, held: true };
};

/**
 * What rpm's database has, and what dnf would upgrade it to: where excludes and versionlock allow nothing newer, what they keep
 * back, and that it is held. Where there is no dnf (`host` null) nothing is offered, nor where it cannot answer, which is said.
 */
export const readDnfInventory = async (
  packages: readonly RpmPackage[],
  host: DnfHost | null,
  platform: string,
): Promise<HostInventory> => {
  const known = host === null ? nothingKnown : await askAll(host);
  const found = packages.map((one) => ({ one, offer: offerFor(known, one) }));
  const offers = found.flatMap(({ one, offer }): InventoryPackage[] => {
    if (offer === null) return [];
    const { version } = offer;
    const { source, sourceVersion } = known.sources.get(`${labelOf(one)}=${version}`) ?? {
      source: one.source,
      sourceVersion: version,
    };
    // Of the same stream; by whom, repositories do not say.
    return [entryOf({ ...one, version, source, sourceVersion, vendor: null })];
  });
  const installed = found.map(({ one, offer }) =>
    entryOf({
      ...one,
      repository: known.origins.get(`${labelOf(one)}=${one.version}`),
      held: offer?.held,
    }),
  );
  const { channels, problem } = known;
  return {
    inventory: {
      platform,
      ...(channels.length === 0 ? {} : { channels: [...channels] }),
      kernel: release(),
      packages: installed,
    },
    offers,
    // The repositories' own advisories are read as feeds, which name their places themselves.
    securitySuites: [],
    problem,
  };
};

/** Where dnf keeps what it has fetched, each repository in a directory; and what decides about candidates. */
const CACHES = ['var/cache/dnf', 'var/cache/libdnf5', 'var/cache/yum'];
const DECIDES = [
  ...['etc/yum.repos.d/', 'etc/yum/', 'etc/dnf/', 'etc/dnf/modules.d/', 'etc/dnf/vars/'],
  // versionlock's list of dnf 4 lies there.
  'etc/dnf/plugins/',
];

/** What a repository's index says, in a few words: it is written anew by each refresh, whether it says anything new or not. */
const indexOf = (directory: string): Promise<string> =>
  readFile(join(directory, 'repodata/repomd.xml')).then(
    (bytes) => createHash('sha256').update(bytes).digest('hex'),
    () => '-',
  );

/** Changes whenever the inventory may. Throws where there is no rpm database. */
export const dnfInventoryMark = async (place: RpmPlace): Promise<string> => {
  const repositories = await Promise.all(
    CACHES.map(async (cache) => {
      const path = join(place.root, cache);
      const names = await readdir(path).catch(() => []);
      return names.sort().map((name) => join(path, name));
    }),
  );
  const indexes = await Promise.all(repositories.flat().map(indexOf));
  const times = await fileTimes(place.root, DECIDES);
  return [rpmSignature(place), ...indexes.filter((index) => index !== '-'), times].join(' ');
};
