import { z } from 'zod';

export const FeedProblemSample = z.object({
  file: z.string(),
  record: z.string(),
  field: z.string(),
  reason: z.string(),
  /** It did not even come here, while others did; what is here of it stays. */
  refused: z.literal(true).optional(),
});

/** How the polling of one feed stands; times in ms of the wall clock. Kept over restarts. */
export const FeedState = z.object({
  name: z.string(),
  source: z.string(),
  /** The address or path that it is read from, for people. */
  place: z.string(),
  /** Since when it is polled: the age of one that never answered. */
  since: z.number(),
  lastAttempt: z.number().nullable(),
  lastSuccess: z.number().nullable(),
  /** When an advisory of it last changed. */
  lastChange: z.number().nullable(),
  /** Names the content that was last taken over; null: none, or it must be taken over anew. */
  version: z.string().nullable(),
  /** Advisories that it has, those that were taken back left out. */
  records: z.number(),
  /** Of the last poll that brought something: new or changed, taken back, older than what was known. */
  changed: z.number(),
  withdrawn: z.number(),
  older: z.number(),
  /** Records that could not be used, and the first of them. */
  problemCount: z.number(),
  problems: z.array(FeedProblemSample),
  /** How many of them are in which file, so that they count until that is read again; what is missing here, until all is. */
  problemFiles: z.record(z.string(), z.number()).default({}),
  /** Why the last poll failed; null: it did not. */
  error: z.string().nullable(),
  /** Polls in a row that failed. */
  failures: z.number(),
  nextPoll: z.number(),
  /** Content that lost most of its records, and waits for a person; null: none. */
  held: z
    .object({ version: z.string(), had: z.number(), has: z.number(), since: z.number() })
    .nullable(),
  /** The version that a person has accepted although most of its records are gone. */
  accepted: z.string().nullable(),
});
export type FeedState = z.infer<typeof FeedState>;

/** A feed before its first poll, which is due at once. */
export const newFeedState = (
  { name, source, place }: Pick<FeedState, 'name' | 'source' | 'place'>,
  now: number,
): FeedState => ({
  ...{ name, source, place, since: now },
  ...{ lastAttempt: null, lastSuccess: null, lastChange: null, version: null },
  ...{ records: 0, changed: 0, withdrawn: 0, older: 0, problemCount: 0, problems: [] },
  problemFiles: {},
  ...{ error: null, failures: 0, nextPoll: now, held: null, accepted: null },
});

const longestBackoffMs = 6 * 3_600_000;

/**
 * When a feed is asked again: after its interval, longer with each failure (doubling up to six hours), never before the
 * time that its server asked for, and spread by up to a tenth so that many servers do not come at once.
 *
 * @param random between 0 and 1.
 */
export const nextPollAfter = (
  now: number,
  {
    everyMs,
    failures,
    retryAfterMs,
    random,
  }: { everyMs: number; failures: number; retryAfterMs: number | null; random: number },
): number => {
  const doubled =
    failures === 0
      ? everyMs
      : Math.max(everyMs, Math.min(everyMs * 2 ** (failures - 1), longestBackoffMs));
  const spread = doubled * (1 + (failures === 0 ? -0.1 : 0.1) * random);
  return now + Math.max(spread, retryAfterMs ?? 0);
};

/** Below so many records, losing some of them is nothing unusual. */
const fewRecords = 20;

/**
 * Whether content that is meant to be the whole feed lost so much that it is not believed: all of it, or more than half of
 * more than a few. A mirror that is being filled and an index that was cut look like this, and so would "all taken back".
 */
export const lostTooMuch = (had: number, has: number): boolean =>
  had > 0 && (has === 0 || (had >= fewRecords && has < had / 2));

/** Since when a feed says nothing, where that is longer than it should be; null: it is well. */
export const silentSince = (
  state: Pick<FeedState, 'lastSuccess' | 'since'>,
  now: number,
  silentAfterMs: number,
): number | null => {
  const since = state.lastSuccess ?? state.since;
  return now - since > silentAfterMs ? since : null;
};
