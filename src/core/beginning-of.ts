/**
 * As much of somebody else's text as is kept. Half a surrogate pair, cut off or put there by them (`"\ud83d"` is
 * JSON), becomes U+FFFD: what holds one can neither be signed nor become part of an audit chain.
 */
export const beginningOf = (text: string, characters: number): string =>
  text.slice(0, characters).replace(/\p{Surrogate}/gu, '\ufffd');
