import type { Advisory, AffectedRow } from './advisory.ts';
import { advisoryKey } from './advisory-key.ts';
import { candidatesOf } from './candidates.ts';
import type { Candidate, Candidates } from './candidates.ts';
import { denialOf, usualTrackers, withoutDenied } from './denials.ts';
import type { Trackers } from './denials.ts';
import { createNotes, nothing } from './fleet-notes.ts';
import type { Note } from './fleet-notes.ts';
import { entriesOf, nameKey } from './fleet-units.ts';
import type { FleetImage, SharedPlace, Unit } from './fleet-units.ts';
import { countedPackages, placeOf } from './index-inventory.ts';
import type { CountedPackage } from './index-inventory.ts';
import { packageText } from './inventory-text.ts';
import type { Inventory, InventoryPackage } from './inventory.ts';
import { isFor, isOffered } from './is-offered.ts';
import { withKernels } from './kernel-offers.ts';
import { mapEntry } from './map-entry.ts';
import { judge, together } from './match.ts';
import type { Finding, Judged } from './match.ts';

/** What a host has, and what its repositories offer of that. */
export interface HostImage {
  inventory: Inventory;
  offers: readonly InventoryPackage[];
}

/**
 * What many hosts have, and what is missing of it. Hosts that have the same are kept once, and so is a package that several have.
 * What an advisory says is kept with the package that it says it of.
 */
export interface Fleet {
  /** Keep what hosts may have under a key, and answer which of its packages none had before. Throws where its platform is none. */
  add: (key: string, image: HostImage) => Unit[];
  /** A host has the image of that key, in place of what it had; one that no host has any more is forgotten. */
  put: (host: string, key: string) => void;
  remove: (host: string) => void;
  /** Images that no host was given are forgotten. */
  forgetUnused: () => void;
  image: (key: string) => FleetImage | null;
  images: () => IterableIterator<FleetImage>;
  /** All that an advisory says of what is installed, image by image; nothing is noted. */
  findings: (advisory: Advisory) => Map<FleetImage, Finding[]>;
  /**
   * Note what an advisory says, by a lookup of each name that it has: no package that it does not name is looked at. Answers
   * the images for which that matters, or did before. `among`: packages that are new, to which it was not applied yet.
   */
  match: (advisory: Advisory, among?: ReadonlySet<Unit>) => Set<FleetImage>;
}

/** Who has something of a name. */
type Holders = Map<Unit, Candidate[]>;

export const packageKey = ({ name, arch }: { name: string; arch: string }): string =>
  `${name}:${arch}`;

/** Of what an advisory says of a package, what is kept; null: nothing. */
const kept = (as: Unit['as'], findings: readonly Finding[]): readonly Finding[] | null => {
  if (as === 'offered') return findings.some(({ state }) => state === 'applied') ? [] : null;
  // Where an older kernel runs than is installed, no upgrade helps: `status` asks for the reboot.
  const missing = findings.filter(({ state, reboot }) => state === 'pending' && reboot !== true);
  return missing.length === 0 ? null : missing;
};

/** Whether findings that are kept of a package name one of these. */
const areNamed = (cves: readonly string[], { found }: Unit): boolean =>
  [...found.values()].some((findings) =>
    findings.some((one) => cves.some((cve) => one.cves.includes(cve))),
  );

/** `kinds`: advisories of others are not looked at. `trackers`: names of feeds that are Debian's tracker. */
export const createFleet = (
  kinds: ReadonlySet<Advisory['kind']>,
  trackers: Trackers = usualTrackers,
): Fleet => {
  const places = new Map<string, SharedPlace>();
  const units = new Map<string, Unit>();
  const images = new Map<string, FleetImage>();
  const imageOf = new Map<string, FleetImage>();
  const byName = new Map<string, Holders>();
  const notes = createNotes();

  const takeUnit = (
    place: SharedPlace,
    as: Unit['as'],
    counted: CountedPackage,
    fresh: Unit[],
  ): Unit => {
    const { installed, running } = counted;
    const texts = [packageText(installed), running === null ? '' : packageText(running)];
    const key = [as, place.key, ...texts].join('\n');
    return mapEntry(units, key, () => {
      const unit: Unit = { ...counted, key, place, as, images: new Set(), found: new Map() };
      for (const [name, candidate] of entriesOf(unit))
        mapEntry(
          mapEntry(byName, name, (): Holders => new Map()),
          unit,
          (): Candidate[] => [],
        ).push(candidate);
      fresh.push(unit);
      return unit;
    });
  };

  const forgetUnit = (unit: Unit): void => {
    units.delete(unit.key);
    for (const [name] of entriesOf(unit)) {
      const holders = byName.get(name);
      holders?.delete(unit);
      if (holders?.size === 0) byName.delete(name);
    }
    notes.forget(unit);
  };

  /** What an advisory says of each package that it names: a package may be meant by several names. */
  const judged = (advisory: Advisory, among?: ReadonlySet<Unit>): Map<Unit, Judged[]> => {
    const named = new Map<Unit, { candidate: Candidate; rows: AffectedRow[] }[]>();
    for (const row of advisory.withdrawn ? [] : advisory.affected) {
      const holders = byName.get(nameKey(row.distro, row.release, row.names, row.name));
      if (holders === undefined) continue;
      for (const [unit, candidates] of holders) {
        if (among?.has(unit) === false || !isOffered(row, unit.place)) continue;
        for (const candidate of candidates) {
          if (!isFor(row, candidate, unit.place)) continue;
          const known = named.get(unit);
          const same = known?.find((one) => one.candidate === candidate);
          if (same !== undefined) same.rows.push(row);
          else if (known !== undefined) known.push({ candidate, rows: [row] });
          else named.set(unit, [{ candidate, rows: [row] }]);
        }
      }
    }
    const all = new Map<Unit, Judged[]>();
    for (const [unit, meant] of named)
      all.set(
        unit,
        meant.map(({ candidate, rows }) => judge(advisory, candidate, rows, unit.place)),
      );
    return all;
  };

  const dropImage = (image: FleetImage): void => {
    images.delete(image.key);
    for (const unit of [...image.installed, ...image.offered.values()]) {
      unit.images.delete(image);
      if (unit.images.size === 0) forgetUnit(unit);
    }
    image.place.images -= 1;
    if (image.place.images === 0) places.delete(image.place.key);
  };

  const remove = (host: string): void => {
    const image = imageOf.get(host);
    if (image === undefined) return;
    imageOf.delete(host);
    image.hosts.delete(host);
    if (image.hosts.size === 0) dropImage(image);
  };

  return {
    add: (key, { inventory, offers }) => {
      if (images.has(key)) return [];
      const { distro, release, scheme, channels } = placeOf(inventory);
      const placeKey = [distro, release, ...[...channels].sort()].join(' ');
      const place = mapEntry(places, placeKey, () => ({
        ...{ key: placeKey, images: 0, distro, release, scheme, channels },
      }));
      const of = (one: InventoryPackage): Candidates => candidatesOf(one, scheme, distro);
      const fresh: Unit[] = [];
      const take = (as: Unit['as'], from: Inventory): Unit[] =>
        [...countedPackages(from, place, of)].map((one) => takeUnit(place, as, one, fresh));
      const { platform } = inventory;
      const all = withKernels(inventory.packages, offers);
      const offered = new Map(
        take('offered', { platform, packages: all }).map((unit) => [
          packageKey(unit.installed),
          unit,
        ]),
      );
      const image: FleetImage = {
        ...{ key, platform, place, trackers, hosts: new Set<string>() },
        ...{ installed: take('installed', inventory), offered },
        offers: all.map((one) =>
          one.through === undefined ? (offered.get(packageKey(one))?.installed ?? one) : one,
        ),
        held: new Set(
          inventory.packages.filter(({ held }) => held === true).map((one) => packageKey(one)),
        ),
      };
      place.images += 1;
      images.set(key, image);
      for (const unit of [...image.installed, ...image.offered.values()]) unit.images.add(image);
      return fresh;
    },
    put: (host, key) => {
      const image = images.get(key);
      if (image === undefined || imageOf.get(host) === image) return;
      image.hosts.add(host);
      remove(host);
      imageOf.set(host, image);
    },
    remove,
    forgetUnused: () => {
      for (const image of [...images.values()]) if (image.hosts.size === 0) dropImage(image);
    },
    image: (key) => images.get(key) ?? null,
    images: () => images.values(),
    findings: (advisory) => {
      const found = new Map<FleetImage, Finding[]>();
      for (const [unit, all] of judged(advisory)) {
        if (unit.as !== 'installed') continue;
        const findings = withoutDenied(together(all), unit.denied, trackers);
        for (const image of unit.images)
          mapEntry(found, image, (): Finding[] => []).push(...findings);
      }
      return found;
    },
    match: (advisory, among) => {
      const key = advisoryKey(advisory);
      const changed = new Set<FleetImage>();
      const apply = (unit: Unit, what: Note): void => {
        if (notes.set(unit, key, what) && unit.as === 'installed')
          for (const image of unit.images) changed.add(image);
      };
      const named = kinds.has(advisory.kind) ? judged(advisory, among) : new Map<Unit, Judged[]>();
      if (among === undefined)
        for (const unit of notes.of(key)) if (!named.has(unit)) apply(unit, nothing);
      for (const [unit, all] of named) {
        const denied = unit.as === 'installed' ? denialOf(advisory, all, trackers) : null;
        apply(unit, {
          found: kept(unit.as, together(all)),
          // What nobody says need not be denied.
          denied: denied !== null && areNamed(advisory.cves, unit) ? denied : null,
        });
      }
      return changed;
    },
  };
};
