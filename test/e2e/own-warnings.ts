/** That Redis answered late is true of a busy machine. */
const expected = /did not answer within \d+ ms/;

/** What our log, a JSON line an event, warns of that a healthy host gives no reason for. */
export const ownWarnings = (lines: readonly string[]): string[] =>
  lines.filter((line) => /"level":[4-6]0/.test(line) && !expected.test(line));
