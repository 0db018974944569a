import type { VersionScheme } from './advisory.ts';
import { channelsOf, productStreams } from './channels-of.ts';
import { candidatesOf, candidatesPresent } from './candidates.ts';
import type { Candidate, Candidates } from './candidates.ts';
import { originOf, othersByOrigin } from './distributor.ts';
import type { Inventory, InventoryPackage } from './inventory.ts';
import { newestOf } from './kernels.ts';
import type { Present } from './kernels.ts';
import { withLikelyModules } from './modules.ts';

/** What of a host decides, beside its packages, which rows count for it. */
export interface HostPlace {
  distro: string;
  release: string;
  scheme: VersionScheme;
  channels: ReadonlySet<string>;
}

/** An inventory by the names that advisories use. */
export interface IndexedInventory extends HostPlace {
  byName: ReadonlyMap<string, readonly Candidate[]>;
  bySource: ReadonlyMap<string, readonly Candidate[]>;
  /** Packages of others, told by where they came from alone: no advisory is claimed for them. */
  ofOthers: readonly InventoryPackage[];
}

const debFamily: ReadonlySet<string> = new Set(['debian', 'ubuntu', 'raspbian', 'linuxmint']);

/** Whether a distribution has dpkg; what is not known is taken for one with rpm. */
export const isOfDpkg = (distro: string): boolean => debFamily.has(distro);

/** The first Amazon Linux was one release, whose VERSION_ID went on from 2011.09 to this. */
const firstAmazon = '2018.03';

/** `almalinux-9.4`: os-release's ID and VERSION_ID. Null: it has no such form. */
export const platformOf = (platform: string): { distro: string; release: string } | null => {
  const dash = platform.lastIndexOf('-');
  const release = platform.slice(dash + 1);
  if (dash <= 0 || !/^\d[\w.]*$/.test(release)) return null;
  const distro = platform.slice(0, dash);
  const isFirstAmazon = distro === 'amzn' && /^(?:1(?:\.|$)|201\d\.)/.test(release);
  return { distro, release: isFirstAmazon ? firstAmazon : release };
};

/** What says of itself which release it is: `redhat-release` 9.2-0.13.el9. */
const releasePackage = /^(?:redhat|almalinux|rocky|oraclelinux|centos|system)-release(?:-\w+)?$/;

/** `9.2` of a host that is called `9`: by the package of the release, else by the newest minor release that one was built for. */
const minorRelease = (release: string, packages: readonly InventoryPackage[]): string => {
  const marks: number[] = [];
  for (const { name, version } of packages) {
    const minor = /^(?:\d+:)?\d+\.(\d+)/.exec(version)?.[1];
    if (releasePackage.test(name) && version.startsWith(`${release}.`) && minor !== undefined)
      return `${release}.${minor}`;
    const [, major, mark] = /\.el(\d+)_(\d+)(?:[._]|$)/.exec(version) ?? [];
    if (major === release && mark !== undefined) marks.push(Number(mark));
  }
  return marks.length === 0 ? release : `${release}.${Math.max(...marks)}`;
};

/** Where the host of an inventory counts. Throws where its platform is not `ID-VERSION_ID`. */
export const placeOf = ({ platform, channels: given, packages }: Inventory): HostPlace => {
  const named = platformOf(platform);
  if (named === null)
    throw new Error(
      `platform ${JSON.stringify(platform)}: want os-release's ID and VERSION_ID, such as debian-12 or almalinux-9`,
    );
  const scheme = isOfDpkg(named.distro) ? 'deb' : 'rpm';
  if (scheme === 'deb') return { ...named, scheme, channels: new Set(given ?? []) };
  const repositories = new Set(packages.map(({ repository }) => repository ?? ''));
  const channels = new Set([...(given ?? []), ...channelsOf(repositories)]);
  if (packages.some((one) => originOf(one, named.distro) === 'epel')) channels.add('epel');
  // A product stream goes on with one minor release.
  const isOfStream =
    !named.release.includes('.') && [...channels].some((one) => productStreams.has(one));
  const release = isOfStream ? minorRelease(named.release, packages) : named.release;
  return { ...named, release, scheme, channels };
};

const add = (index: Map<string, Candidate[]>, name: string, one: Candidate): void => {
  const known = index.get(name);
  if (known === undefined) index.set(name, [one]);
  else known.push(one);
};

/** A package that counts, and the names by which advisories may mean it. */
export interface CountedPackage extends Present {
  candidates: Candidates;
}

/**
 * What of an inventory advisories may mean. What is not the distributor's, where anything tells that, is left out; so is a rpm
 * without a release, which is none but a package of another system that shares the name.
 */
export const countedPackages = function* (
  { packages, kernel }: Inventory,
  { scheme, distro }: HostPlace,
  of: (one: InventoryPackage) => Candidates,
): Generator<CountedPackage> {
  const real =
    scheme === 'deb'
      ? packages
      : withLikelyModules(packages.filter(({ version }) => version.includes('-')));
  const isOfOthers = scheme === 'deb' ? othersByOrigin(packages, distro) : () => false;
  for (const present of newestOf(real, scheme, kernel ?? null)) {
    const candidates = candidatesPresent(present, of);
    if (candidates.byName.origin !== 'foreign' && !isOfOthers(present.installed))
      yield { ...present, candidates };
  }
};

/** Index an inventory once, to match many advisories with it. Throws where its platform is not `ID-VERSION_ID`. */
export const indexInventory = (inventory: Inventory): IndexedInventory => {
  const place = placeOf(inventory);
  const { scheme, distro } = place;
  const [byName, bySource] = [new Map<string, Candidate[]>(), new Map<string, Candidate[]>()];
  const of = (one: InventoryPackage): Candidates => candidatesOf(one, scheme, distro);
  for (const { installed, candidates } of countedPackages(inventory, place, of)) {
    add(byName, installed.name, candidates.byName);
    for (const candidate of candidates.bySource) add(bySource, candidate.source, candidate);
  }
  const ofOthers =
    scheme === 'deb' ? inventory.packages.filter(othersByOrigin(inventory.packages, distro)) : [];
  return { ...place, byName, bySource, ofOthers };
};
