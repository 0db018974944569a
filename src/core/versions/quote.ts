/** More of a version that is none says nothing more to anybody. */
export const LONGEST_QUOTE = 100;

/** A text in quotes for a message, not longer than a person reads. */
export const quote = (text: string): string =>
  text.length > LONGEST_QUOTE
    ? `${JSON.stringify(text.slice(0, LONGEST_QUOTE))}…`
    : JSON.stringify(text);
