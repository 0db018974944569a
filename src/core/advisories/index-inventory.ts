import { compareDebVersions } from '../versions/compare-deb-versions.ts';
import { compareRpmVersions } from '../versions/compare-rpm-versions.ts';
import type { VersionScheme } from './advisory.ts';
import type { Inventory, InventoryPackage } from './inventory.ts';
import { signedSource } from './signed-source.ts';
import type { SourceIdentity } from './signed-source.ts';

/** A package under one of the names by which advisories may mean it. */
export interface Candidate extends SourceIdentity {
  installed: InventoryPackage;
}

/** An inventory by the names that advisories use. */
export interface IndexedInventory {
  distro: string;
  release: string;
  scheme: VersionScheme;
  channels: ReadonlySet<string>;
  byName: ReadonlyMap<string, readonly Candidate[]>;
  bySource: ReadonlyMap<string, readonly Candidate[]>;
}

const debFamily: ReadonlySet<string> = new Set(['debian', 'ubuntu', 'raspbian', 'linuxmint']);

/** `almalinux-9.4`: os-release's ID and VERSION_ID. Null: it has no such form. */
export const platformOf = (platform: string): { distro: string; release: string } | null => {
  const dash = platform.lastIndexOf('-');
  const release = platform.slice(dash + 1);
  return dash <= 0 || !/^\d[\w.]*$/.test(release)
    ? null
    : { distro: platform.slice(0, dash), release };
};

/** Kernels lie side by side, each under its own name: this is what they have in common. */
const kernelFamily = ({ name, arch }: InventoryPackage): string | null => {
  const found =
    /^linux-(image|image-unsigned|modules|modules-extra|headers)-\d[\d.]*-\d+-(.+)$/.exec(name);
  return found === null ? null : `${found[1]} ${found[2]} ${arch}`;
};

/** Of packages that may be there in several versions at once, only the newest: that is what boots next. */
const newestOnly = (
  packages: readonly InventoryPackage[],
  scheme: VersionScheme,
): InventoryPackage[] => {
  const compare = scheme === 'deb' ? compareDebVersions : compareRpmVersions;
  const newest = new Map<string, InventoryPackage>();
  for (const one of packages) {
    const key = (scheme === 'deb' ? kernelFamily(one) : null) ?? `${one.name}:${one.arch}`;
    const known = newest.get(key);
    if (known === undefined || compare(one.version, known.version) > 0) newest.set(key, one);
  }
  return [...newest.values()];
};

/** A binary was built anew of the same source: `+b1` at its end says so where no source version is known. */
const withoutRebuild = (version: string): string => version.replace(/\+b\d+$/, '');

const add = (index: Map<string, Candidate[]>, name: string, one: Candidate): void => {
  const known = index.get(name);
  if (known === undefined) index.set(name, [one]);
  else known.push(one);
};

/**
 * Index an inventory once, to match many advisories with it. Throws where its platform is not `ID-VERSION_ID`. A rpm
 * without a release is none (a package of another system that shares the name), and is left out.
 */
export const indexInventory = ({ platform, channels, packages }: Inventory): IndexedInventory => {
  const named = platformOf(platform);
  if (named === null)
    throw new Error(
      `platform ${JSON.stringify(platform)}: want os-release's ID and VERSION_ID, such as debian-12 or almalinux-9`,
    );
  const scheme = debFamily.has(named.distro) ? 'deb' : 'rpm';
  const compare = scheme === 'deb' ? compareDebVersions : compareRpmVersions;
  const [byName, bySource] = [new Map<string, Candidate[]>(), new Map<string, Candidate[]>()];
  const real = packages.filter(({ version }) => scheme === 'deb' || version.includes('-'));
  for (const installed of newestOnly(real, scheme)) {
    const { name, version } = installed;
    const source = installed.source ?? name;
    const sourceVersion =
      installed.sourceVersion ?? (scheme === 'deb' ? withoutRebuild(version) : version);
    add(byName, name, { installed, source, compare: (other) => compare(version, other) });
    const own: Candidate = { installed, source, compare: (other) => compare(sourceVersion, other) };
    add(bySource, source, own);
    const signed = scheme === 'deb' ? signedSource(installed) : null;
    if (signed !== null && signed.source !== source)
      add(bySource, signed.source, { installed, ...signed });
  }
  return { ...named, scheme, channels: new Set(channels ?? []), byName, bySource };
};
