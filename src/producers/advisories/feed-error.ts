/** A file of a feed that cannot be read, or no further, because of what is in it or how much. */
export class FeedError extends Error {
  /** Its name within the feed. */
  readonly file: string;
  /** What was wrong with it. */
  readonly reason: string;

  constructor(file: string, reason: string) {
    super(`${file}: ${reason}`);
    this.name = 'FeedError';
    this.file = file;
    this.reason = reason;
  }
}
