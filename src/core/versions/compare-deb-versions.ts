import { LONGEST_QUOTE, quote } from './quote.ts';

/** The parts of a Debian version, as deb-version(7) names them. */
export interface DebVersion {
  epoch: number;
  upstream: string;
  /** Empty where there is none; that compares like `0`. */
  revision: string;
}

export type ParsedDebVersion = { ok: true; version: DebVersion } | { ok: false; error: string };

/** dpkg keeps epochs in an int. */
const MAX_EPOCH = 2_147_483_647;
const bad = (error: string): ParsedDebVersion => ({ ok: false, error });

const isBlank = (code: number): boolean => code === 32 || (code >= 9 && code <= 13);

/** A loop: a pattern for the end tries at each of a million blanks that something follows. */
const withoutBlanks = (text: string): string => {
  let [begin, end] = [0, text.length];
  while (begin < end && isBlank(text.charCodeAt(begin))) begin += 1;
  while (end > begin && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(begin, end);
};

/**
 * Splits `[epoch:]upstream[-revision]` as dpkg does, with its strictness: an upstream version that
 * does not start with a digit is an error. Blanks around it are ignored, as dpkg does. The error
 * names what is wrong with which version.
 */
export const parseDebVersion = (text: string): ParsedDebVersion => {
  const trimmed = withoutBlanks(text);
  const quoted = quote(text);
  if (trimmed === '') return bad(`version ${quoted} is empty`);
  if (/[ \t\n\v\f\r]/.test(trimmed)) return bad(`version ${quoted} has blanks inside`);
  const colon = trimmed.indexOf(':');
  let epoch = 0;
  if (colon >= 0) {
    const digits = trimmed.slice(0, colon);
    if (digits === '') return bad(`version ${quoted} has an empty epoch before the colon`);
    if (!/^\d+$/.test(digits))
      return bad(`version ${quoted}: epoch ${digits.slice(0, LONGEST_QUOTE)} is not a number`);
    epoch = Number(digits);
    if (epoch > MAX_EPOCH)
      return bad(`version ${quoted}: epoch ${digits.slice(0, LONGEST_QUOTE)} is too big`);
  }
  const rest = trimmed.slice(colon + 1);
  if (rest === '') return bad(`version ${quoted} has nothing after the epoch`);
  const dash = rest.lastIndexOf('-');
  const upstream = dash < 0 ? rest : rest.slice(0, dash);
  const revision = dash < 0 ? '' : rest.slice(dash + 1);
  if (dash >= 0 && revision === '') return bad(`version ${quoted} has an empty revision`);
  if (upstream === '') return bad(`version ${quoted} has an empty upstream version`);
  if (!/^\d/.test(upstream))
    return bad(
      `version ${quoted}: upstream version ${upstream.slice(0, LONGEST_QUOTE)} does not start with a digit`,
    );
  const inUpstream = /[^A-Za-z0-9.+~:-]/.exec(upstream)?.[0];
  if (inUpstream !== undefined)
    return bad(`version ${quoted}: ${JSON.stringify(inUpstream)} in the upstream version`);
  const inRevision = /[^A-Za-z0-9.+~]/.exec(revision)?.[0];
  if (inRevision !== undefined)
    return bad(`version ${quoted}: ${JSON.stringify(inRevision)} in the revision`);
  return { ok: true, version: { epoch, upstream, revision } };
};

const ZERO = 48;
const TILDE = 126;
const isDigit = (code: number): boolean => code >= 48 && code <= 57;

/** Sorting weight of a character that is no digit: `~` before the end, letters before the rest. */
const weight = (code: number): number => {
  if (code === TILDE) return -1;
  if ((code >= 97 && code <= 122) || (code >= 65 && code <= 90)) return code;
  return code + 0x10000;
};

/** Compares a[i, iEnd) with b[j, jEnd), runs of non-digits and of digits in turn. */
const compareParts = (
  a: string,
  aBegin: number,
  aEnd: number,
  b: string,
  bBegin: number,
  bEnd: number,
): number => {
  let i = aBegin;
  let j = bBegin;
  while (i < aEnd || j < bEnd) {
    for (;;) {
      const x = i < aEnd ? a.charCodeAt(i) : ZERO;
      const y = j < bEnd ? b.charCodeAt(j) : ZERO;
      const xDigit = isDigit(x); // the end counts as one: weight 0
      const yDigit = isDigit(y);
      if (xDigit && yDigit) break;
      const difference = (xDigit ? 0 : weight(x)) - (yDigit ? 0 : weight(y));
      if (difference !== 0) return difference;
      i += 1;
      j += 1;
    }
    while (i < aEnd && a.charCodeAt(i) === ZERO) i += 1;
    while (j < bEnd && b.charCodeAt(j) === ZERO) j += 1;
    // Runs are compared as text, so their length is not limited by any number type.
    let firstDifference = 0;
    for (;;) {
      const xDigit = i < aEnd && isDigit(a.charCodeAt(i));
      const yDigit = j < bEnd && isDigit(b.charCodeAt(j));
      if (!xDigit && !yDigit) break;
      if (!yDigit) return 1;
      if (!xDigit) return -1;
      if (firstDifference === 0) firstDifference = a.charCodeAt(i) - b.charCodeAt(j);
      i += 1;
      j += 1;
    }
    if (firstDifference !== 0) return firstDifference;
  }
  return 0;
};

/**
 * Compares two Debian versions as dpkg and apt do (deb-version(7), "Sorting algorithm"): -1 when
 * `a` is older, 1 when it is newer, 0 when neither. Never fails: text that `parseDebVersion` refuses
 * is ordered by the same rules, as apt does. Total order over all strings; blanks around are ignored.
 */
export const compareDebVersions = (a: string, b: string): -1 | 0 | 1 => {
  if (a === b) return 0;
  let aBegin = 0;
  let bBegin = 0;
  let aEnd = a.length;
  let bEnd = b.length;
  while (aBegin < aEnd && isBlank(a.charCodeAt(aBegin))) aBegin += 1;
  while (bBegin < bEnd && isBlank(b.charCodeAt(bBegin))) bBegin += 1;
  while (aEnd > aBegin && isBlank(a.charCodeAt(aEnd - 1))) aEnd -= 1;
  while (bEnd > bBegin && isBlank(b.charCodeAt(bEnd - 1))) bEnd -= 1;
  // The epoch ends at the first colon, the revision begins after the last dash.
  const aColon = a.indexOf(':');
  const bColon = b.indexOf(':');
  if (aColon >= 0 || bColon >= 0) {
    // No epoch is epoch 0, and an empty part compares like 0.
    const epochs = compareParts(
      a,
      aBegin,
      aColon < 0 ? aBegin : aColon,
      b,
      bBegin,
      bColon < 0 ? bBegin : bColon,
    );
    if (epochs !== 0) return epochs < 0 ? -1 : 1;
    if (aColon >= 0) aBegin = aColon + 1;
    if (bColon >= 0) bBegin = bColon + 1;
  }
  const aLast = a.lastIndexOf('-');
  const bLast = b.lastIndexOf('-');
  const aDash = aLast >= aBegin ? aLast : aEnd;
  const bDash = bLast >= bBegin ? bLast : bEnd;
  const upstreams = compareParts(a, aBegin, aDash, b, bBegin, bDash);
  if (upstreams !== 0) return upstreams < 0 ? -1 : 1;
  const revisions = compareParts(
    a,
    aDash < aEnd ? aDash + 1 : aEnd,
    aEnd,
    b,
    bDash < bEnd ? bDash + 1 : bEnd,
    bEnd,
  );
  return revisions === 0 ? 0 : revisions < 0 ? -1 : 1;
};
