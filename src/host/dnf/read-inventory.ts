import { readdir, stat } from 'node:fs/promises';
import { release } from 'node:os';
import { join } from 'node:path';
import type { InventoryPackage } from '../../core/advisories/inventory.ts';
import { compareRpmVersions } from '../../core/versions/compare-rpm-versions.ts';
import type { HostInventory } from '../packages/package-manager.ts';
import type { DnfHost } from './dnf-host.ts';
import type { RpmPackage } from './parse-rpm-packages.ts';
import { readCandidates } from './read-offers.ts';
import { rpmSignature } from './rpm-place.ts';
import type { RpmPlace } from './rpm-place.ts';

const entryOf = ({
  name,
  arch,
  version,
  source,
  sourceVersion,
  module,
  vendor,
}: RpmPackage): InventoryPackage => ({
  ...{ name, arch, version },
  ...(source === name ? {} : { source }),
  ...(sourceVersion === version ? {} : { sourceVersion }),
  ...(module === null ? {} : { module }),
  ...(vendor === null ? {} : { vendor }),
});

/**
 * What rpm's database has, and what dnf would upgrade it to. Where there is no dnf (`host` null) nothing is offered. What
 * an exclude or versionlock keeps back is not offered either. Throws where dnf cannot answer.
 */
export const readDnfInventory = async (
  packages: readonly RpmPackage[],
  host: DnfHost | null,
  platform: string,
): Promise<HostInventory> => {
  const candidates = host === null ? new Map<string, string>() : await readCandidates(host);
  const offers = packages.flatMap((one): InventoryPackage[] => {
    const version = candidates.get(`${one.name}.${one.arch}`);
    return version === undefined || compareRpmVersions(version, one.version) <= 0
      ? []
      : // Of the same stream; which source version it was built from matters to nobody.
        [entryOf({ ...one, version, sourceVersion: version })];
  });
  return {
    inventory: { platform, kernel: release(), packages: packages.map(entryOf) },
    offers,
  };
};

/** Where dnf keeps what it has fetched, each repository in a directory; and what decides about candidates. */
const CACHES = ['var/cache/dnf', 'var/cache/libdnf5', 'var/cache/yum'];
const DECIDES = ['etc/yum.repos.d', 'etc/dnf', 'etc/dnf/plugins', 'etc/yum'];

const timeOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );

/** Changes whenever the inventory may. Throws where there is no rpm database. */
export const dnfInventoryMark = async (place: RpmPlace): Promise<string> => {
  const directories = await Promise.all(
    CACHES.map(async (cache) => {
      const path = join(place.root, cache);
      const names = await readdir(path).catch(() => []);
      return [path, ...names.sort().map((name) => join(path, name, 'repodata'))];
    }),
  );
  const paths = [...directories.flat(), ...DECIDES.map((path) => join(place.root, path))];
  return [rpmSignature(place), ...(await Promise.all(paths.map(timeOf)))].join(' ');
};
