import { LONGEST_QUOTE, quote } from './quote.ts';

/** The parts of `[epoch:]version[-release]`, as rpm-version(7) names them. */
export interface RpmVersion {
  /** Digits; a missing epoch is `0`. */
  epoch: string;
  version: string;
  /** Null where there is none: that is older than any. */
  release: string | null;
}

export type ParsedRpmVersion = { ok: true; version: RpmVersion } | { ok: false; error: string };

/** rpm keeps epochs in 32 bits. */
const MAX_EPOCH = 4_294_967_295n;
/** Longer numbers are larger, and slow to read. */
const MAX_EPOCH_DIGITS = 10;
const bad = (error: string): ParsedRpmVersion => ({ ok: false, error });

/**
 * Splits `[epoch:]version[-release]` as rpm does: the epoch is what stands before a colon that follows digits
 * alone, the release what follows the last dash. The error names what is wrong with which version.
 */
export const parseRpmVersion = (text: string): ParsedRpmVersion => {
  const quoted = quote(text);
  if (text === '') return bad(`version ${quoted} is empty`);
  if (/\s/.test(text)) return bad(`version ${quoted} has blanks inside`);
  const colon = /^\d*:/.exec(text)?.[0].length ?? 0;
  const epoch = colon > 1 ? text.slice(0, colon - 1) : '0';
  const digits = epoch.replace(/^0+/, '');
  if (digits.length > MAX_EPOCH_DIGITS || BigInt(epoch) > MAX_EPOCH)
    return bad(`version ${quoted}: epoch ${epoch.slice(0, LONGEST_QUOTE)} is too big`);
  const dash = text.lastIndexOf('-');
  const version = text.slice(colon, dash < colon ? undefined : dash);
  const release = dash < colon ? null : text.slice(dash + 1);
  if (version === '') return bad(`version ${quoted} has nothing for a version`);
  if (release === '') return bad(`version ${quoted} has an empty release`);
  const dashed = version.includes('-');
  if (dashed) return bad(`version ${quoted}: "-" in the version`);
  if (version.includes(':')) return bad(`version ${quoted}: epoch before ":" is not a number`);
  if (release?.includes(':') === true) return bad(`version ${quoted}: ":" in the release`);
  return { ok: true, version: { epoch, version, release } };
};

const ZERO = 48;
/** What a character is: all that is not listed only separates, whatever is not ASCII too. */
const OTHER = 0;
const DIGIT = 1;
const LETTER = 2;
const TILDE = 3;
const CARET = 4;
const END = 5;

const kinds = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code);
  if (/[0-9]/.test(character)) return DIGIT;
  if (/[A-Za-z]/.test(character)) return LETTER;
  return character === '~' ? TILDE : character === '^' ? CARET : OTHER;
});

const kindAt = (text: string, at: number, end: number): number =>
  at < end ? (kinds[text.charCodeAt(at)] ?? OTHER) : END;

/** The end of the run of one kind that begins at `from`. */
const runEnd = (text: string, from: number, end: number, kind: number): number => {
  let at = from;
  while (at < end && kinds[text.charCodeAt(at)] === kind) at += 1;
  return at;
};

const skipZeros = (text: string, from: number, end: number): number => {
  let at = from;
  while (at < end && text.charCodeAt(at) === ZERO) at += 1;
  return at;
};

/** Compares a[i, iEnd) with b[j, jEnd) segment by segment: `rpmvercmp` of rpm, rpm-version(7). */
const compareSegments = (
  a: string,
  aBegin: number,
  aEnd: number,
  b: string,
  bBegin: number,
  bEnd: number,
): -1 | 0 | 1 => {
  let i = aBegin;
  let j = bBegin;
  // Most pairs begin alike: only the segment in which they differ has to be looked at from its beginning.
  while (i < aEnd && j < bEnd && a.charCodeAt(i) === b.charCodeAt(j)) {
    i += 1;
    j += 1;
  }
  const within = i > aBegin ? (kinds[a.charCodeAt(i - 1)] ?? OTHER) : OTHER;
  if (within === DIGIT || within === LETTER)
    while (i > aBegin && kinds[a.charCodeAt(i - 1)] === within) {
      i -= 1;
      j -= 1;
    }
  while (i < aEnd || j < bEnd) {
    let x = kindAt(a, i, aEnd);
    while (x === OTHER) x = kindAt(a, (i += 1), aEnd);
    let y = kindAt(b, j, bEnd);
    while (y === OTHER) y = kindAt(b, (j += 1), bEnd);
    if (x !== y) {
      // `~` is older than all else, the end included; the end is older than all that is left.
      if (x === TILDE || y === TILDE) return x === TILDE ? -1 : 1;
      if (x === END || y === END) return x === END ? -1 : 1;
      // `^` is newer than the end, and older than all else. A number is newer than letters.
      if (x === CARET || y === CARET) return x === CARET ? -1 : 1;
      return x === DIGIT ? 1 : -1;
    }
    if (x === END) return 0;
    if (x === TILDE || x === CARET) {
      i += 1;
      j += 1;
      continue;
    }
    const iEnd = runEnd(a, i, aEnd, x);
    const jEnd = runEnd(b, j, bEnd, x);
    if (x === DIGIT) {
      // As text, so that their length is not limited by any number type: the longer one is larger.
      i = skipZeros(a, i, iEnd);
      j = skipZeros(b, j, jEnd);
      if (iEnd - i !== jEnd - j) return iEnd - i > jEnd - j ? 1 : -1;
    }
    for (; i < iEnd && j < jEnd; i += 1, j += 1) {
      const difference = a.charCodeAt(i) - b.charCodeAt(j);
      if (difference !== 0) return difference > 0 ? 1 : -1;
    }
    if (i < iEnd) return 1;
    if (j < jEnd) return -1;
  }
  return 0;
};

/** Compares two versions or two releases as rpm does (`rpmvercmp`). Never fails. */
export const compareRpmSegments = (a: string, b: string): -1 | 0 | 1 =>
  a === b ? 0 : compareSegments(a, 0, a.length, b, 0, b.length);

/** The length of the epoch with its colon; 0 where there is none. */
const epochLength = (text: string): number => {
  const at = runEnd(text, 0, text.length, DIGIT);
  return at < text.length && text.charCodeAt(at) === 58 ? at + 1 : 0;
};

/**
 * Compares two `[epoch:]version[-release]` as rpm and dnf do (rpm-version(7)): -1 when `a` is older, 1 when it
 * is newer, 0 when neither. A missing epoch is 0; a missing release is older than any. Never fails: text
 * that `parseRpmVersion` refuses is ordered by the same rules. Total order over all strings.
 */
export const compareRpmVersions = (a: string, b: string): -1 | 0 | 1 => {
  if (a === b) return 0;
  const aBegin = epochLength(a);
  const bBegin = epochLength(b);
  if (aBegin > 0 || bBegin > 0) {
    // No epoch, or none before its colon, is epoch 0.
    const epochs = compareSegments(
      aBegin > 1 ? a : '0',
      0,
      aBegin > 1 ? aBegin - 1 : 1,
      bBegin > 1 ? b : '0',
      0,
      bBegin > 1 ? bBegin - 1 : 1,
    );
    if (epochs !== 0) return epochs;
  }
  const aLast = a.lastIndexOf('-');
  const bLast = b.lastIndexOf('-');
  const aDash = aLast >= aBegin ? aLast : a.length;
  const bDash = bLast >= bBegin ? bLast : b.length;
  const versions = compareSegments(a, aBegin, aDash, b, bBegin, bDash);
  if (versions !== 0) return versions;
  const aReleased = aDash < a.length;
  const bReleased = bDash < b.length;
  if (!aReleased || !bReleased) return aReleased === bReleased ? 0 : aReleased ? 1 : -1;
  return compareSegments(a, aDash + 1, a.length, b, bDash + 1, b.length);
};
