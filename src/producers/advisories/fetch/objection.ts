import { z } from 'zod';

/** What is known of a file that was taken. */
export const Known = z.object({
  etag: z.string().nullable(),
  lastModified: z.string().nullable(),
  records: z.number(),
  newest: z.string().nullable(),
});
export type Known = z.infer<typeof Known>;
/** Fewer than this may well become half of it. */
const FEW_RECORDS = 20;

const timeOf = (text: string | null): number => (text === null ? NaN : Date.parse(text));

/** Why something is not taken; `lost`: because too much of it is gone, which a person can accept. */
export interface Objection {
  reason: string;
  lost?: { had: number; has: number };
}

/** Why a file is not to be taken in the place of the one that is there; null: it is. `accepted`: however much is gone. */
export const objection = (
  fresh: Known,
  known: Known | null,
  now: Date,
  accepted = false,
): Objection | null => {
  const lost = known === null ? {} : { lost: { had: known.records, has: fresh.records } };
  if (fresh.records === 0 && !accepted) return { reason: 'there is no record in it', ...lost };
  if (known === null) return null;
  const [offered, had] = [timeOf(fresh.lastModified), timeOf(known.lastModified)];
  const older = (is: string, was: string): Objection => ({
    reason: `the mirror offers an older state (${is}) than the one that is here (${was})`,
  });
  if (offered < had) return older(fresh.lastModified ?? '', known.lastModified ?? '');
  const isDated = !Number.isNaN(offered) && !Number.isNaN(had);
  // A date of the future is a slip of the pen that will be mended.
  const newest = (known.newest ?? '') > now.toISOString() ? null : known.newest;
  if (!isDated && newest !== null && fresh.newest !== null && fresh.newest < newest)
    return older(fresh.newest, newest);
  return !accepted && known.records >= FEW_RECORDS && fresh.records < known.records / 2
    ? {
        reason: `it has only ${fresh.records} of ${known.records} records any more, and is held back`,
        ...lost,
      }
    : null;
};
