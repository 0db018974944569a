import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { release } from 'node:os';
import { join } from 'node:path';
import { channelsOf } from '../../core/advisories/channels-of.ts';
import type { InventoryPackage } from '../../core/advisories/inventory.ts';
import { compareRpmVersions } from '../../core/versions/compare-rpm-versions.ts';
import type { HostInventory } from '../packages/package-manager.ts';
import type { DnfHost } from './dnf-host.ts';
import type { RpmPackage } from './parse-rpm-packages.ts';
import { readCandidates, readOrigins, readRepositoryIds, readSources } from './read-offers.ts';
import { rpmSignature } from './rpm-place.ts';
import type { RpmPlace } from './rpm-place.ts';

type Entry = RpmPackage & { repository?: string | undefined; held?: boolean };

const entryOf = (one: Entry): InventoryPackage => ({
  ...{ name: one.name, arch: one.arch, version: one.version },
  ...(one.source === one.name ? {} : { source: one.source }),
  ...(one.sourceVersion === one.version ? {} : { sourceVersion: one.sourceVersion }),
  ...(one.module === null ? {} : { module: one.module }),
  ...(one.repository === undefined ? {} : { repository: one.repository }),
  ...(one.held === true ? { held: true } : {}),
});

const labelOf = ({ name, arch }: RpmPackage): string => `${name}.${arch}`;

/** What dnf knows besides rpm. */
interface DnfKnowledge {
  /** What it would upgrade to if no exclude or versionlock kept anything back, and what it would. */
  candidates: ReadonlyMap<string, string>;
  allowed: ReadonlyMap<string, string>;
  /** Where each package came from. */
  origins: ReadonlyMap<string, string>;
  /** What candidates are built from. */
  sources: Awaited<ReturnType<typeof readSources>>;
  channels: readonly string[];
}

const askAll = async (host: DnfHost | null): Promise<DnfKnowledge> => {
  if (host === null)
    return {
      ...{ candidates: new Map(), allowed: new Map(), origins: new Map() },
      ...{ sources: new Map(), channels: [] },
    };
  const candidates = await readCandidates(host, { everything: true });
  return {
    candidates,
    allowed: await readCandidates(host, { everything: false }),
    origins: await readOrigins(host),
    sources: await readSources(host, candidates),
    channels: channelsOf(await readRepositoryIds(host)),
  };
};

/**
 * What rpm's database has, and what dnf would upgrade it to, excludes and versionlock aside: what those keep back is
 * said to be held. Where there is no dnf (`host` null) nothing is offered. Throws where dnf cannot answer.
 */
export const readDnfInventory = async (
  packages: readonly RpmPackage[],
  host: DnfHost | null,
  platform: string,
): Promise<HostInventory> => {
  const { candidates, allowed, origins, sources, channels } = await askAll(host);
  const offers = packages.flatMap((one): InventoryPackage[] => {
    const version = candidates.get(labelOf(one));
    if (version === undefined || compareRpmVersions(version, one.version) <= 0) return [];
    const { source, sourceVersion } = sources.get(`${labelOf(one)}=${version}`) ?? {
      source: one.source,
      sourceVersion: version,
    };
    // Of the same stream.
    return [entryOf({ ...one, version, source, sourceVersion })];
  });
  const installed = packages.map((one) => {
    const label = labelOf(one);
    return entryOf({
      ...one,
      repository: origins.get(`${label}=${one.version}`),
      held: candidates.get(label) !== allowed.get(label),
    });
  });
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
  };
};

/** Where dnf keeps what it has fetched, each repository in a directory; and what decides about candidates. */
const CACHES = ['var/cache/dnf', 'var/cache/libdnf5', 'var/cache/yum'];
const DECIDES = [
  ...['etc/yum.repos.d', 'etc/yum', 'etc/dnf', 'etc/dnf/dnf.conf', 'etc/dnf/modules.d'],
  // Written in place.
  ...['etc/dnf/plugins', 'etc/dnf/plugins/versionlock.list', 'etc/dnf/versionlock.toml'],
];

const timeOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );

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
  const times = await Promise.all(DECIDES.map((path) => timeOf(join(place.root, path))));
  return [rpmSignature(place), ...indexes.filter((index) => index !== '-'), ...times].join(' ');
};
