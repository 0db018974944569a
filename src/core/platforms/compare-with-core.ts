import { originOf } from '../advisories/distributor.ts';
import type { Inventory, InventoryPackage } from '../advisories/inventory.ts';
import type { CorePackage, Manifest } from './manifest.ts';

/** Packages beside the core that came from one place. */
export interface ForeignPackages {
  /** apt's `Origin`, dnf's id of the repository, or who built them; null: see `kind`. */
  origin: string | null;
  /** The distributor's own, somebody else's, in none of the host's repositories (any more), or not told. */
  kind: 'own' | 'other' | 'none' | 'unknown';
  packages: string[];
}

/** How a host stands to its platform's manifest. */
export interface CoreComparison {
  platform: string;
  /** Core packages that are installed. */
  present: number;
  /** Core packages that the host needs to be whole, and has not. */
  missing: CorePackage[];
  /** Dependencies in the manifest that this host does without: what needs them is not there, or another package stands in. */
  notNeeded: CorePackage[];
  /** By origin: others' first, the distributor's own last. */
  foreign: ForeignPackages[];
}

/**
 * A dependency is missing only with the package that needs it: the package manager sees to it that what is installed has its
 * dependencies, if need be by another alternative than the manifest's.
 */
const missingOf = (
  packages: readonly CorePackage[],
  installed: ReadonlySet<string>,
): Set<string> => {
  const listed = new Map(packages.map((one) => [one.name, one]));
  const judged = new Map<string, boolean>();
  const isMissing = ({ name, why, of }: CorePackage): boolean => {
    const known = judged.get(name);
    if (known !== undefined) return known;
    // Against a circle, which only a file written by hand can have.
    judged.set(name, false);
    const needer = of === undefined ? undefined : listed.get(of);
    const needed = why !== 'dependency' || (needer !== undefined && isMissing(needer));
    const missing = !installed.has(name) && needed;
    judged.set(name, missing);
    return missing;
  };
  return new Set(packages.filter(isMissing).map(({ name }) => name));
};

const isOwn = (origin: string, distro: string): boolean => {
  const none = { name: '', arch: '', version: '' };
  return [{ repository: origin }, { vendor: origin }].some(
    (one) => originOf({ ...none, ...one }, distro) === 'own',
  );
};

const placeOf = (
  { repository, vendor }: InventoryPackage,
  distro: string,
): Pick<ForeignPackages, 'origin' | 'kind'> => {
  const origin = repository ?? vendor ?? null;
  if (origin !== null) return { origin, kind: isOwn(origin, distro) ? 'own' : 'other' };
  return { origin, kind: repository === null ? 'none' : 'unknown' };
};

const ORDER = ['other', 'none', 'unknown', 'own'];

const byOrigin = (packages: readonly InventoryPackage[], distro: string): ForeignPackages[] => {
  const places = new Map<string, ForeignPackages & { names: Set<string> }>();
  for (const one of packages) {
    const place = placeOf(one, distro);
    const key = `${place.kind} ${place.origin ?? ''}`;
    const known = places.get(key) ?? { ...place, packages: [], names: new Set() };
    known.names.add(one.name);
    places.set(key, known);
  }
  return [...places]
    .sort(
      ([a, { kind: first }], [b, { kind: second }]) =>
        ORDER.indexOf(first) - ORDER.indexOf(second) || (a < b ? -1 : 1),
    )
    .map(([, { origin, kind, names }]) => ({ origin, kind, packages: [...names].sort() }));
};

/** What of a manifest a host lacks, and what it has beside it. Versions are not looked at, and a name counts in any architecture. */
export const compareWithCore = (
  { platform, packages }: Manifest,
  inventory: Pick<Inventory, 'packages'>,
): CoreComparison => {
  const installed = new Set(inventory.packages.map(({ name }) => name));
  const core = new Set(packages.map(({ name }) => name));
  const missing = missingOf(packages, installed);
  const absent = packages.filter(({ name }) => !installed.has(name));
  const distro = platform.slice(0, platform.lastIndexOf('-'));
  const beside = inventory.packages.filter(({ name }) => !core.has(name));
  return {
    platform,
    present: packages.length - absent.length,
    missing: absent.filter(({ name }) => missing.has(name)),
    notNeeded: absent.filter(({ name }) => !missing.has(name)),
    foreign: byOrigin(beside, distro),
  };
};
