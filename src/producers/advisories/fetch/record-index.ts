import { linesOf } from '../lines-of.ts';
import { contentOf } from './file-content.ts';

/** Where a record lies, and when it was changed. */
export interface RecordEntry {
  /** Of its file below the feed's directory. */
  name: string;
  url: string;
  /** To the second, in UTC: `2026-11-29T05:00:00`. */
  time: string;
}

export interface RecordIndex {
  entries: ReadonlyMap<string, RecordEntry>;
  newest: string | null;
  /** Lines that name no record, by their numbers. */
  bad: number[];
}

/** Several times what the largest index has. */
const MOST_ENTRIES = 2_000_000;

/** What a line of an index names: a record, one that is none of ours, or none. */
export type EntryOf = (line: string) => RecordEntry | 'not ours' | null;

/** Reads an index of records, a line for each. Throws where most of it is none. */
export const readRecordIndex = async (path: string, entryOf: EntryOf): Promise<RecordIndex> => {
  const entries = new Map<string, RecordEntry>();
  const bad: number[] = [];
  let newest: string | null = null;
  let number = 0;
  for await (const line of linesOf(contentOf(path))) {
    number += 1;
    if (line.trim() === '') continue;
    const entry = entryOf(line.trim());
    if (entry === null) bad.push(number);
    else if (entry !== 'not ours') {
      if (entry.time >= (entries.get(entry.name)?.time ?? '')) entries.set(entry.name, entry);
      if (entry.time > (newest ?? '')) newest = entry.time;
    }
    if (number > MOST_ENTRIES) throw new Error(`it has more than ${MOST_ENTRIES} lines`);
  }
  if (bad.length > entries.size) throw new Error(`it names no record in line ${bad[0] ?? 1}`);
  return { entries, newest, bad };
};
