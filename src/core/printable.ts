/**
 * Text that others wrote, fit for a terminal: control characters (C0, DEL, C1) and those that turn the direction of writing
 * are shown as escapes. A host, or whoever made a file, would else write on the reader's screen.
 */
export const printable = (text: string): string =>
  text.replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069]/gu, (found) => {
    const short = JSON.stringify(found).slice(1, -1);
    return short === found
      ? `\\u${(found.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`
      : short;
  });
