import type { Journal } from '../../core/agent/journal.ts';
import { parts, scalarsOf } from './journal-rows.ts';
import type { JournalRow } from './journal-rows.ts';

/** What the file holds of one row: its text, and the object that it was written from. */
interface Written {
  body: string;
  from: object | null;
}

export interface Difference {
  put: (JournalRow & { from: object | null })[];
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

  /** Objects that lie in the file as they are and change no more: most of a long journal, so one look each. */
  const settled = new WeakSet();

  const differences = (now: Journal): Difference => {
    const found: Difference = { put: [], remove: [] };
    const compare = (part: string, key: string, value: object, fixed: boolean): void => {
      const body = JSON.stringify(value);
      // A fixed entry that was written while it could still change is written once more.
      if (fixed || ofPart(part).get(key)?.body !== body)
        found.put.push({ part, key, body, from: fixed ? value : null });
    };
    compare('scalars', '', scalarsOf(now), false);
    for (const { name, fixed } of parts) {
      const entries: ReadonlyMap<string | number, object> = now[name];
      entries.forEach((value, key) => {
        if (!settled.has(value)) compare(name, String(key), value, fixed(value));
      });
      const old = ofPart(name);
      const added = found.put.filter(({ part, key }) => part === name && !old.has(key)).length;
      if (old.size + added === entries.size) continue;
      const kept = new Set([...entries.keys()].map(String));
      for (const key of old.keys()) if (!kept.has(key)) found.remove.push({ part: name, key });
    }
    return found;
  };

  const forget = (part: string, key: string): void => {
    const from = ofPart(part).get(key)?.from ?? null;
    if (from !== null) settled.delete(from);
  };

  const accept = ({ put, remove }: Difference): void => {
    for (const { part, key, body, from } of put) {
      forget(part, key);
      ofPart(part).set(key, { body, from });
      if (from !== null) settled.add(from);
    }
    for (const { part, key } of remove) {
      forget(part, key);
      ofPart(part).delete(key);
    }
  };

  if (journal !== null) accept(differences(journal));
  return { differences, accept };
};
