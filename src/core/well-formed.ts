/** Half a surrogate pair, which JSON writes as an escape; a backslash that is escaped itself begins none. */
const half = /(\\\\)|\\ud[89a-f][0-9a-f]{2}/g;

/**
 * The same value, with U+FFFD for each half of a surrogate pair in its texts: what holds one (`"\ud83d"` is JSON) can
 * neither be signed nor become part of an audit chain. For values that JSON can carry.
 */
export const wellFormed = <T>(value: T): T => {
  const text = JSON.stringify(value);
  if (!text.includes('\\ud')) return value;
  return JSON.parse(
    text.replace(half, (found, backslash) => (backslash === undefined ? '\ufffd' : found)),
  ) as T;
};
