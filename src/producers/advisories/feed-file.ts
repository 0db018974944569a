import type { ParsedRecord } from '../../core/advisories/advisory.ts';

/** One document of a feed, whatever it lay in: a file, a directory, an archive. */
export interface FeedFile {
  /** Its path within the feed, with `/`; of an archive's entry the archive's name comes first. For messages too. */
  name: string;
  /** Its content without what compressed it. Fails beyond the limits on size, and where it is damaged. */
  read: () => AsyncIterable<Uint8Array>;
}

/** A kind of feed: what of its files it reads, and how. */
export interface AdvisorySource {
  /** As people name it in the configuration and with `--feed`. */
  name: string;
  /**
   * Turn the files of a feed into advisories, one at a time, so that the feed as a whole never stands in memory. Never
   * throws for what is in the files: whatever cannot be used is a problem with file, record and field.
   */
  parse: (files: AsyncIterable<FeedFile>) => AsyncIterable<ParsedRecord>;
}
