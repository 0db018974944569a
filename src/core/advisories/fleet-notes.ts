import type { Denial } from './denials.ts';
import type { Unit } from './fleet-units.ts';
import { mapEntry } from './map-entry.ts';
import type { Finding } from './match.ts';

/** What is kept of what an advisory says of a package; null: nothing. */
export interface Note {
  found: readonly Finding[] | null;
  denied: Denial | null;
}

export const nothing: Note = { found: null, denied: null };

/** What advisories say of packages, kept with these, and found by the advisory. */
export interface FleetNotes {
  /** Where something is noted of an advisory. */
  of: (advisory: string) => Unit[];
  /** Note what an advisory says of a package now, in place of before; whether that is or was anything. */
  set: (unit: Unit, advisory: string, what: Note) => boolean;
  forget: (unit: Unit) => void;
}

export const createNotes = (): FleetNotes => {
  const notedAt = new Map<string, Set<Unit>>();
  const drop = (advisory: string, unit: Unit): void => {
    const noted = notedAt.get(advisory);
    noted?.delete(unit);
    if (noted?.size === 0) notedAt.delete(advisory);
  };
  return {
    of: (advisory) => [...(notedAt.get(advisory) ?? [])],
    set: (unit, advisory, { found, denied }) => {
      const wasFound = unit.found.delete(advisory);
      const wasDenied = unit.denied?.delete(advisory) ?? false;
      if (found !== null) unit.found.set(advisory, found);
      if (denied !== null) (unit.denied ??= new Map<string, Denial>()).set(advisory, denied);
      if (found !== null || denied !== null)
        mapEntry(notedAt, advisory, () => new Set<Unit>()).add(unit);
      else if (wasFound || wasDenied) drop(advisory, unit);
      else return false;
      return true;
    },
    forget: (unit) => {
      for (const advisory of [...unit.found.keys(), ...(unit.denied?.keys() ?? [])])
        drop(advisory, unit);
    },
  };
};
