import { release } from 'node:os';
import type { InventoryPackage } from '../../core/advisories/inventory.ts';
import type { InstalledPackage } from '../../core/packages.ts';
import type { AptHost } from './apt-host.ts';
import { presentPackages } from './parse-dpkg-status.ts';
import { dpkgSignature, readDpkgDatabase } from './read-dpkg-database.ts';
import { fileTimes } from '../packages/file-times.ts';
import type { HostInventory } from '../packages/package-manager.ts';
import { readSecuritySuites } from './read-security-suites.ts';
import { readUpgradable } from './read-upgradable.ts';

/** What is said twice is left out: inventories travel, and most binaries are named as their source. */
const entryOf = ({
  name,
  arch,
  version,
  source,
  sourceVersion,
}: InstalledPackage): InventoryPackage => ({
  ...{ name, arch, version },
  ...(source === name ? {} : { source }),
  ...(sourceVersion === version ? {} : { sourceVersion }),
});

/** What dpkg has installed below a root. Throws where it has no database, or a damaged one. */
export const readDpkgInventory = async (root: string): Promise<InventoryPackage[]> => {
  const { packages } = await readDpkgDatabase(root);
  const held = new Set(
    packages.filter(({ want }) => want === 'hold').map(({ name, arch }) => `${name}:${arch}`),
  );
  return presentPackages(packages).map((one) => ({
    ...entryOf(one),
    ...(held.has(`${one.name}:${one.arch}`) ? { held: true } : {}),
  }));
};

/** What this host has, and what its repositories would upgrade it to. Throws where dpkg or apt cannot answer. */
export const readAptInventory = async (host: AptHost, platform: string): Promise<HostInventory> => {
  const { packages } = await readDpkgDatabase(host.root);
  const { offers, channels, origins } = await readUpgradable(host, presentPackages(packages));
  const installed = await readDpkgInventory(host.root);
  return {
    inventory: {
      platform,
      ...(channels.length === 0 ? {} : { channels }),
      kernel: release(),
      packages: installed.map((one) => {
        const repository = origins.get(`${one.name}:${one.arch}`);
        return repository === undefined ? one : { ...one, repository };
      }),
    },
    offers: offers.map(entryOf),
    securitySuites: await readSecuritySuites(host),
    // apt-cache goes by what was fetched: a mirror that is away shows in a refresh alone.
    problem: null,
  };
};

/** What decides about candidates, besides dpkg's database; apt itself puts lists into their place by renaming. */
const DECIDES = [
  'var/lib/apt/lists',
  'etc/apt/sources.list',
  'etc/apt/sources.list.d/',
  'etc/apt/preferences',
  'etc/apt/preferences.d/',
];

/** Changes whenever the inventory may: cheap, so that it is asked for often. Throws where there is no dpkg database. */
export const aptInventoryMark = async (root: string): Promise<string> =>
  [dpkgSignature(root), await fileTimes(root, DECIDES)].join(' ');
