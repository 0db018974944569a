import type { ParsedRecord } from '../../core/advisories/advisory.ts';

/** One document of a feed, whatever it lay in: a file, a directory, an archive. */
export interface FeedFile {
  /** Its path within the feed, with `/`; of an archive's entry the archive's name comes first. For messages too. */
  name: string;
  /** Its content without what compressed it. Fails beyond the limits on size, and where it is damaged. */
  read: () => AsyncIterable<Uint8Array>;
  /** Its bytes as they are stored, still compressed: what an index's checksum is of. */
  readRaw: () => AsyncIterable<Uint8Array>;
}

/** A kind of feed: what of its files it reads, and how. */
export interface AdvisorySource {
  /** As people name it in the configuration and with `--feed`. */
  name: string;
  /**
   * Turn the files of a feed into advisories, one at a time, so that the feed as a whole never stands in memory. Never
   * throws for what is in the files: whatever cannot be used is a problem with file, record and field. A source that
   * must see an index first may read a file, also more than once, after it was given the next ones.
   *
   * One id may come more than once: the rows belong together, as those of two repositories in one tree; where one of them is
   * withdrawn, the advisory is.
   */
  parse: (files: AsyncIterable<FeedFile>) => AsyncIterable<ParsedRecord>;
}
