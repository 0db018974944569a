import type { AffectedRow } from './advisory.ts';
import type { Candidate } from './candidates.ts';
import type { Denial, Trackers } from './denials.ts';
import type { CountedPackage, HostPlace } from './index-inventory.ts';
import type { InventoryPackage } from './inventory.ts';
import { mapEntry } from './map-entry.ts';
import type { Finding } from './match.ts';

/** A host's place that several images share. */
export interface SharedPlace extends HostPlace {
  key: string;
  images: number;
}

/** A package in a place, as hosts have it or are offered it: judged once for all of its images. */
export interface Unit extends CountedPackage {
  key: string;
  place: SharedPlace;
  as: 'installed' | 'offered';
  images: Set<FleetImage>;
  /** By advisory. Of what is installed, the findings that an upgrade would settle; of what is offered, none: that it has the fix. */
  found: Map<string, readonly Finding[]>;
  /** By advisory, of what is installed: what that denies of the CVEs of these findings. Most have none. */
  denied?: Map<string, Denial>;
}

/** Hosts that have exactly the same, and so need the same. */
export interface FleetImage {
  key: string;
  platform: string;
  place: SharedPlace;
  /** Names of feeds that are Debian's tracker. */
  trackers: Trackers;
  hosts: Set<string>;
  installed: readonly Unit[];
  /** By `name:arch`. */
  offered: ReadonlyMap<string, Unit>;
  /** All of what is offered, also what advisories do not mean, and what others bring. */
  offers: readonly InventoryPackage[];
  /** `name:arch` of what the administrator keeps as it is. */
  held: ReadonlySet<string>;
}

/** Where rows of an advisory look for candidates: `release` as exactly as a feed may tell it. */
export const nameKey = (
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

/** Every name by which rows may find a package. */
export const entriesOf = function* ({
  place: { distro, release },
  candidates: { byName, bySource },
}: Unit): Generator<[string, Candidate]> {
  for (const one of releasesOf(release)) {
    yield [nameKey(distro, one, 'binary', byName.installed.name), byName];
    for (const candidate of bySource)
      yield [nameKey(distro, one, 'source', candidate.source), candidate];
  }
};

/** The names by which advisories may mean packages, by their distribution. */
export const namesOf = (units: Iterable<Unit>): Map<string, Set<string>> => {
  const names = new Map<string, Set<string>>();
  for (const { place, candidates } of units) {
    const known = mapEntry(names, place.distro, () => new Set<string>());
    known.add(candidates.byName.installed.name);
    for (const { source } of candidates.bySource) known.add(source);
  }
  return names;
};
