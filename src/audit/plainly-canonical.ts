/** What would have to be escaped, or is an escape, or half a surrogate pair. */
const special = /[\\\p{Cc}\p{Cs}]/u;

const [quote, comma, colon] = [0x22, 0x2c, 0x3a];
const [openBracket, closeBracket, openBrace, closeBrace] = [0x5b, 0x5d, 0x7b, 0x7d];

const [zero, nine, minus, plus, point] = [0x30, 0x39, 0x2d, 0x2b, 0x2e];
const [lowerE, lowerF, lowerN, lowerT] = [0x65, 0x66, 0x6e, 0x74];

/** So many digits are a whole number that a double holds, and that ECMAScript writes like this. */
const mostDigits = 15;

const isDigit = (sign: number): boolean => sign >= zero && sign <= nine;

const isOfNumber = (sign: number): boolean =>
  isDigit(sign) || sign === point || sign === minus || sign === plus || sign === lowerE;

/** Each of these answers the index behind what begins at `at`; 0: it is not plainly canonical. */
const afterNumber = (text: string, at: number): number => {
  let end = at;
  while (isDigit(text.charCodeAt(end))) end += 1;
  const isWhole = end > at && !isOfNumber(text.charCodeAt(end));
  // Most are: small, and told by a look.
  if (isWhole && end - at <= mostDigits && (text.charCodeAt(at) !== zero || end === at + 1))
    return end;
  while (isOfNumber(text.charCodeAt(end))) end += 1;
  const token = text.slice(at, end);
  return String(Number(token)) === token ? end : 0;
};

const afterWord = (text: string, at: number, word: string): number =>
  text.startsWith(word, at) ? at + word.length : 0;

const afterArray = (text: string, at: number, levels: number): number => {
  if (text.charCodeAt(at + 1) === closeBracket) return at + 2;
  for (let next = at; ;) {
    const end = afterValue(text, next + 1, levels);
    if (end === 0) return 0;
    const sign = text.charCodeAt(end);
    if (sign === closeBracket) return end + 1;
    if (sign !== comma) return 0;
    next = end;
  }
};

const afterObject = (text: string, at: number, levels: number): number => {
  if (text.charCodeAt(at + 1) === closeBrace) return at + 2;
  let before: string | null = null;
  for (let next = at; ;) {
    if (text.charCodeAt(next + 1) !== quote) return 0;
    const closing = text.indexOf('"', next + 2);
    const key = text.slice(next + 2, closing);
    // Above the one before it, so that none is there twice.
    if (closing === -1 || (before !== null && key <= before)) return 0;
    before = key;
    if (text.charCodeAt(closing + 1) !== colon) return 0;
    const end = afterValue(text, closing + 2, levels);
    if (end === 0) return 0;
    const sign = text.charCodeAt(end);
    if (sign === closeBrace) return end + 1;
    if (sign !== comma) return 0;
    next = end;
  }
};

function afterValue(text: string, at: number, levels: number): number {
  switch (text.charCodeAt(at)) {
    case quote:
      // -1, where it does not end, is 0 here.
      return text.indexOf('"', at + 1) + 1;
    case openBrace:
      return levels === 0 ? 0 : afterObject(text, at, levels - 1);
    case openBracket:
      return levels === 0 ? 0 : afterArray(text, at, levels - 1);
    case lowerN:
      return afterWord(text, at, 'null');
    case lowerT:
      return afterWord(text, at, 'true');
    case lowerF:
      return afterWord(text, at, 'false');
    default:
      return afterNumber(text, at);
  }
}

/**
 * Whether a text is canonical JSON (RFC 8785) for certain, from one look at it, without writing it anew. It is not told of texts
 * with escapes, and of what is nested deeper than `levels`: these may be canonical, or none.
 */
export const isPlainlyCanonical = (text: string, levels: number): boolean =>
  !special.test(text) && text.length > 0 && afterValue(text, 0, levels) === text.length;
