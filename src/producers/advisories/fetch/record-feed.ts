import { z } from 'zod';
import { Known } from './objection.ts';
import type { EntryOf, RecordEntry } from './record-index.ts';

/** A feed with an index of all its records and their times, and an archive of all of them. */
export interface RecordFeed {
  indexUrl: string;
  entryOf: EntryOf;
  /** The one with most of these. Null: there is none, each record is fetched by itself. */
  archive: (signal: AbortSignal, wanted: readonly RecordEntry[]) => Promise<RecordArchive | null>;
  /** When a record was changed, as it tells itself; null: it does not. Throws where it is none. */
  timeOf: (name: string, record: unknown) => string | null;
}

export interface RecordArchive {
  url: string;
  /** The file of a path in it; null: it is no record. */
  nameOf: (path: string) => string | null;
  /** As far as its records are new, those that do not tell themselves. */
  time: string;
}

export const RecordState = z.object({
  index: Known.nullable(),
  /** Nothing of the index is left to be fetched. */
  isCaughtUp: z.boolean(),
  archive: z
    .object({
      url: z.string(),
      etag: z.string().nullable(),
      lastModified: z.string().nullable(),
      isUnpacked: z.boolean(),
    })
    .nullable(),
  /** Time of each record that is here, by the name of its file. */
  records: z.record(z.string(), z.string()),
  /** Those that the index does not list, and that are there all the same. */
  unlisted: z.array(z.string()),
  /** Of a file beside the records. */
  beside: z.object({ etag: z.string().nullable(), lastModified: z.string().nullable() }).nullable(),
});
export type RecordState = z.infer<typeof RecordState>;
