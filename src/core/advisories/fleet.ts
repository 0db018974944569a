import type { Advisory, AffectedRow } from './advisory.ts';
import { candidatesOf } from './candidates.ts';
import type { Candidate, Candidates } from './candidates.ts';
import type { HostPlace, IndexedInventory } from './index-inventory.ts';
import { indexInventory } from './index-inventory.ts';
import { packageText, textOfInventory } from './inventory-text.ts';
import type { Inventory, InventoryPackage } from './inventory.ts';
import { isFor, isOffered } from './is-offered.ts';
import { judge, together } from './match.ts';
import type { Finding, Judged } from './match.ts';

/** Hosts that have exactly the same packages, and so the same findings. */
export interface ImageFindings {
  /** As long as no inventory changes: not a copy. */
  hosts: ReadonlySet<string>;
  findings: readonly Finding[];
}

/** The inventories of many hosts. Hosts that have the same are kept once, and so is a package that several have. */
export interface Fleet {
  /** What a host has, in place of what it had. Throws where its platform is none. */
  put: (host: string, inventory: Inventory) => void;
  remove: (host: string) => void;
  /** Which hosts an advisory concerns, by a lookup of each name that it has: none that has nothing of it is looked at. */
  match: (advisory: Advisory) => ImageFindings[];
  /** How many different inventories there are. */
  images: () => number;
}

/** A host's place that several images share. */
interface SharedPlace extends HostPlace {
  key: string;
  images: number;
}

interface Image {
  key: string;
  place: SharedPlace;
  packages: readonly InventoryPackage[];
  index: IndexedInventory;
  hosts: Set<string>;
}

/** Who has something of a name: by place and package, so that each is judged once for all of its images. */
type Holders = Map<SharedPlace, Map<Candidate, Set<Image>>>;

/** Where rows of an advisory look for candidates: `release` as exactly as a feed may tell it. */
const nameKey = (
  distro: string,
  release: string,
  names: AffectedRow['names'],
  name: string,
): string => `${distro} ${release} ${names} ${name}`;

/** `9.4` is found as `9.4` and as `9`. */
const releasesOf = (release: string): string[] => {
  const parts = release.split('.');
  return parts.map((_, at) => parts.slice(0, at + 1).join('.'));
};

/** Every name by which rows may find what an image has. */
const entriesOf = function* ({ index }: Image): Generator<[string, readonly Candidate[]]> {
  for (const release of releasesOf(index.release)) {
    for (const [name, candidates] of index.byName)
      yield [nameKey(index.distro, release, 'binary', name), candidates];
    for (const [name, candidates] of index.bySource)
      yield [nameKey(index.distro, release, 'source', name), candidates];
  }
};

/** The value of a key, which is made where there is none. */
const entry = <K, V>(map: Map<K, V>, key: K, make: () => V): V => {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
};

/** Keeps one of those packages that are the same, for as long as an image has it. */
const packagePool = () => {
  const packages = new Map<string, { shared: InventoryPackage; images: number }>();
  return {
    take: (one: InventoryPackage): InventoryPackage => {
      const known = entry(packages, packageText(one), () => ({ shared: one, images: 0 }));
      known.images += 1;
      return known.shared;
    },
    giveBack: (one: InventoryPackage): void => {
      const text = packageText(one);
      const known = packages.get(text);
      if (known === undefined) return;
      known.images -= 1;
      if (known.images === 0) packages.delete(text);
    },
  };
};

/** What advisories may mean a shared package by, once for each distribution. */
const candidatePool = () => {
  const known = new WeakMap<InventoryPackage, Map<string, Candidates>>();
  return (one: InventoryPackage, { distro, scheme }: HostPlace): Candidates => {
    let ofPackage = known.get(one);
    if (ofPackage === undefined) known.set(one, (ofPackage = new Map<string, Candidates>()));
    return entry(ofPackage, distro, () => candidatesOf(one, scheme, distro));
  };
};

export const createFleet = (): Fleet => {
  const pool = packagePool();
  const candidatesIn = candidatePool();
  const places = new Map<string, SharedPlace>();
  const images = new Map<string, Image>();
  const imageOf = new Map<string, Image>();
  const byName = new Map<string, Holders>();

  const addImage = (key: string, inventory: Inventory): Image => {
    const packages = inventory.packages.map(pool.take);
    const index = indexInventory({ ...inventory, packages }, candidatesIn);
    const { distro, release, scheme, channels } = index;
    const placeKey = [distro, release, ...[...channels].sort()].join(' ');
    const place = entry(places, placeKey, () => ({
      ...{ key: placeKey, images: 0, distro, release, scheme, channels },
    }));
    place.images += 1;
    const image: Image = { key, place, packages, index, hosts: new Set() };
    images.set(key, image);
    for (const [name, candidates] of entriesOf(image)) {
      const holders = entry(byName, name, (): Holders => new Map());
      const ofPlace = entry(holders, place, () => new Map<Candidate, Set<Image>>());
      for (const one of candidates) entry(ofPlace, one, () => new Set<Image>()).add(image);
    }
    return image;
  };

  const dropImage = (image: Image): void => {
    const { place } = image;
    images.delete(image.key);
    for (const [name, candidates] of entriesOf(image)) {
      const holders = byName.get(name);
      const ofPlace = holders?.get(place);
      for (const one of candidates) {
        const having = ofPlace?.get(one);
        having?.delete(image);
        if (having?.size === 0) ofPlace?.delete(one);
      }
      if (ofPlace?.size === 0) holders?.delete(place);
      if (holders?.size === 0) byName.delete(name);
    }
    image.packages.forEach(pool.giveBack);
    place.images -= 1;
    if (place.images === 0) places.delete(place.key);
  };

  const remove = (host: string): void => {
    const image = imageOf.get(host);
    if (image === undefined) return;
    imageOf.delete(host);
    image.hosts.delete(host);
    if (image.hosts.size === 0) dropImage(image);
  };

  return {
    put: (host, inventory) => {
      const key = textOfInventory(inventory);
      const known = images.get(key);
      if (known !== undefined && imageOf.get(host) === known) return;
      const image = known ?? addImage(key, inventory);
      remove(host);
      image.hosts.add(host);
      imageOf.set(host, image);
    },
    remove,
    images: () => images.size,
    match: (advisory) => {
      if (advisory.withdrawn) return [];
      const named = new Map<SharedPlace, Map<Candidate, Named>>();
      for (const row of advisory.affected) {
        const holders = byName.get(nameKey(row.distro, row.release, row.names, row.name));
        if (holders === undefined) continue;
        for (const [place, candidates] of holders) {
          if (!isOffered(row, place)) continue;
          const ofPlace = entry(named, place, () => new Map<Candidate, Named>());
          for (const [candidate, having] of candidates)
            if (isFor(row, candidate, place))
              entry(ofPlace, candidate, (): Named => ({ rows: [], having })).rows.push(row);
        }
      }
      const found = new Map<Image, Judged[]>();
      for (const [place, candidates] of named)
        for (const [candidate, { rows, having }] of candidates) {
          const judged = judge(advisory, candidate, rows, place);
          if (judged.findings.length === 0 && !judged.isSpared) continue;
          for (const image of having) entry(found, image, (): Judged[] => []).push(judged);
        }
      return [...found].flatMap(([{ hosts }, judged]) => {
        const findings = together(judged);
        return findings.length === 0 ? [] : [{ hosts, findings }];
      });
    },
  };
};

/** What an advisory says of one package, and which images have that. */
interface Named {
  rows: AffectedRow[];
  having: ReadonlySet<Image>;
}
