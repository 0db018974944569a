/** A stretch of text of a file, and what stands there instead. */
export interface TextBreak {
  from: string;
  to: string;
}

/** Spaces and line ends do not count, so that formatting does not hide a rule from its break. */
const loosely = (text: string): RegExp =>
  new RegExp(
    text
      .trim()
      .split(/\s+/)
      .map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('\\s+'),
    'g',
  );

/** The text of `file` with the one stretch replaced. Throws unless it stands there exactly once. */
export const brokenText = (text: string, { from, to }: TextBreak, file: string): string => {
  const found = text.match(loosely(from))?.length ?? 0;
  if (found !== 1) throw new Error(`${file} holds "${from}" ${found} times, not once`);
  return text.replace(loosely(from), () => to);
};
