import type { Advisory, AffectedRow } from './advisory.ts';
import type { Candidate, IndexedInventory } from './index-inventory.ts';
import { indexInventory } from './index-inventory.ts';
import type { Inventory, InventoryPackage } from './inventory.ts';
import { judge, isFor, isOffered } from './match.ts';
import type { Finding } from './match.ts';

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

interface Image {
  key: string;
  index: IndexedInventory;
  hosts: Set<string>;
}

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

const packageText = (one: InventoryPackage): string =>
  [
    ...[one.name, one.arch, one.version, one.source ?? '', one.sourceVersion ?? ''],
    ...[one.module ?? '', one.repository ?? '', one.held === true ? 'held' : ''],
  ].join('\t');

export const createFleet = (): Fleet => {
  const packages = new Map<string, { shared: InventoryPackage; images: number }>();
  const images = new Map<string, Image>();
  const imageOf = new Map<string, Image>();
  /** Name → image → what it has of that name. */
  const byName = new Map<string, Map<Image, readonly Candidate[]>>();

  const entriesOf = function* ({ index }: Image): Generator<[string, readonly Candidate[]]> {
    for (const release of releasesOf(index.release)) {
      for (const [name, candidates] of index.byName)
        yield [nameKey(index.distro, release, 'binary', name), candidates];
      for (const [name, candidates] of index.bySource)
        yield [nameKey(index.distro, release, 'source', name), candidates];
    }
  };

  const sharedPackage = (one: InventoryPackage): InventoryPackage => {
    const key = packageText(one);
    const known = packages.get(key);
    if (known !== undefined) {
      known.images += 1;
      return known.shared;
    }
    packages.set(key, { shared: one, images: 1 });
    return one;
  };

  const addImage = (key: string, inventory: Inventory): Image => {
    const index = indexInventory({
      ...inventory,
      packages: inventory.packages.map(sharedPackage),
    });
    const image: Image = { key, index, hosts: new Set() };
    images.set(key, image);
    for (const [name, candidates] of entriesOf(image)) {
      const known = byName.get(name);
      if (known === undefined) byName.set(name, new Map([[image, candidates]]));
      else known.set(image, candidates);
    }
    return image;
  };

  const dropImage = (image: Image, texts: readonly string[]): void => {
    images.delete(image.key);
    for (const [name] of entriesOf(image)) {
      const known = byName.get(name);
      known?.delete(image);
      if (known?.size === 0) byName.delete(name);
    }
    for (const text of texts) {
      const known = packages.get(text);
      if (known === undefined) continue;
      known.images -= 1;
      if (known.images === 0) packages.delete(text);
    }
  };

  const keyOf = ({ platform, channels, packages: all }: Inventory): string =>
    [platform, ...(channels ?? []).toSorted(), '', ...all.map(packageText).sort()].join('\n');

  const remove = (host: string): void => {
    const image = imageOf.get(host);
    if (image === undefined) return;
    imageOf.delete(host);
    image.hosts.delete(host);
    if (image.hosts.size === 0) {
      const [, ...texts] = image.key.slice(image.key.indexOf('\n\n') + 1).split('\n');
      dropImage(image, texts);
    }
  };

  return {
    put: (host, inventory) => {
      const key = keyOf(inventory);
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
      const named = new Map<Image, Map<Candidate, AffectedRow[]>>();
      for (const row of advisory.affected) {
        const found = byName.get(nameKey(row.distro, row.release, row.names, row.name));
        if (found === undefined) continue;
        for (const [image, candidates] of found) {
          if (!isOffered(row, image.index)) continue;
          let ofImage = named.get(image);
          if (ofImage === undefined)
            named.set(image, (ofImage = new Map<Candidate, AffectedRow[]>()));
          for (const candidate of candidates) {
            if (!isFor(row, candidate)) continue;
            const rows = ofImage.get(candidate);
            if (rows === undefined) ofImage.set(candidate, [row]);
            else rows.push(row);
          }
        }
      }
      return [...named].flatMap(([{ hosts, index }, candidates]) => {
        const findings = [...candidates].flatMap(([candidate, rows]) =>
          judge(advisory, candidate, rows, index),
        );
        return findings.length === 0 ? [] : [{ hosts, findings }];
      });
    },
  };
};
