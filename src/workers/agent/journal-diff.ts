import type { Journal } from '../../core/agent/journal.ts';
import { parts, scalarsOf } from './journal-rows.ts';
import type { JournalRow } from './journal-rows.ts';

/** What the file holds of one row: its text, and the object that it was written from. */
interface Written {
  body: string;
  from: unknown;
}

export interface Difference {
  put: (JournalRow & { from: unknown })[];
  remove: { part: string; key: string }[];
}

/**
 * The journal as it lies in the file, against which each turn is compared: so core need not say what it
 * changed. Ended and unchanging entries cost one comparison of references.
 */
export interface WrittenJournal {
  differences: (journal: Journal) => Difference;
  /** The differences are durable now. */
  accept: (difference: Difference) => void;
}

export const createWrittenJournal = (journal: Journal | null): WrittenJournal => {
  const written = new Map<string, Map<string, Written>>(
    [...parts.map(({ name }) => name), 'scalars'].map((name) => [name, new Map()]),
  );
  const ofPart = (name: string): Map<string, Written> => {
    const found = written.get(name);
    if (found === undefined) throw new Error(`no such part of the journal: ${name}`);
    return found;
  };

  const differences = (now: Journal): Difference => {
    const found: Difference = { put: [], remove: [] };
    const compare = (part: string, key: string, value: unknown, fixed: boolean): void => {
      const before = ofPart(part).get(key);
      // A fixed entry that was written while it could still change is written once more.
      if (before !== undefined && fixed && before.from === value) return;
      const body = JSON.stringify(value);
      if (before?.body !== body || fixed)
        found.put.push({ part, key, body, from: fixed ? value : null });
    };
    compare('scalars', '', scalarsOf(now), false);
    for (const { name, fixed } of parts) {
      const entries: ReadonlyMap<string | number, unknown> = now[name];
      for (const [key, value] of entries) compare(name, String(key), value, fixed(value));
      const old = ofPart(name);
      const added = found.put.filter(({ part, key }) => part === name && !old.has(key)).length;
      if (old.size + added === entries.size) continue;
      const kept = new Set([...entries.keys()].map(String));
      for (const key of old.keys()) if (!kept.has(key)) found.remove.push({ part: name, key });
    }
    return found;
  };

  const accept = ({ put, remove }: Difference): void => {
    for (const { part, key, body, from } of put) ofPart(part).set(key, { body, from });
    for (const { part, key } of remove) ofPart(part).delete(key);
  };

  if (journal !== null) accept(differences(journal));
  return { differences, accept };
};
