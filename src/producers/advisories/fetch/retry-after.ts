/** A server that asks for more is asked again after this all the same. */
const LONGEST_MS = 24 * 60 * 60 * 1000;

/** How long `Retry-After` says, in seconds or as a date; null where it says nothing that is to be understood. */
export const retryAfterMs = (header: string | null, now: Date): number | null => {
  if (header === null) return null;
  const text = header.trim();
  const wait = /^\d{1,10}$/.test(text)
    ? Number(text) * 1000
    : /^[A-Z][a-z]{2}/.test(text)
      ? Date.parse(text) - now.getTime()
      : NaN;
  return Number.isNaN(wait) ? null : Math.min(Math.max(wait, 0), LONGEST_MS);
};
