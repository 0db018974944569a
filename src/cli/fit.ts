import { stripVTControlCharacters } from 'node:util';

const lengthOf = (text: string): number => stripVTControlCharacters(text).length;

/** Parts between which a line may break: words with the blank after them, paths after a slash. */
const partsOf = (text: string): string[] => text.match(/[^ /]*\/+|[^ /]* +|[^ /]+/g) ?? [];

/**
 * Breaks text at blanks, and a path at its slashes, so that no line is longer than `width`; what has
 * neither is left whole. Colours do not count, and must begin and end within a word.
 */
export const wrapText = (text: string, width: number): string[] => {
  const lines: string[] = [];
  let line = '';
  // A path stays whole where it fits into a line of its own.
  const words = text
    .split(/(?<= )(?=[^ ])/)
    .flatMap((word) => (lengthOf(word.trimEnd()) <= width ? [word] : partsOf(word)));
  for (const word of words) {
    if (line !== '' && lengthOf(line) + lengthOf(word.trimEnd()) > width) {
      lines.push(line.trimEnd());
      line = '';
    }
    line += word;
  }
  return [...lines, line.trimEnd()];
};

/** The same, with `indent` before the first line and `hanging` before the others. */
export const wrapIndented = (
  text: string,
  width: number,
  indent = '',
  hanging = ' '.repeat(indent.length + 2),
): string =>
  wrapText(text, Math.max(20, width - hanging.length))
    .map((line, index) => `${index === 0 ? indent : hanging}${line}`)
    .join('\n');

/** Wraps each line of a longer text that does not fit, further lines a little further in. */
export const wrapLines = (text: string, width: number): string =>
  text
    .split('\n')
    .map((line) => {
      if (lengthOf(line) <= width) return line;
      const indent = /^ */.exec(line)?.[0] ?? '';
      return wrapIndented(line.slice(indent.length), width, indent);
    })
    .join('\n');

const NARROWEST = 12;
const GAP = 2;

/**
 * Wraps the cells of a table so that it is no wider than `width`: the widest column that has blanks
 * or slashes to break at gives way first, none below 12 characters or what it cannot break. Where that
 * is not enough, it is wider. An empty row stays one line.
 */
export const fitRows = (headings: string[], rows: string[][], width: number): string[][] => {
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => lengthOf(row[column] ?? ''))),
  );
  const breakable = headings.map((_, column) =>
    rows.some((row) => /[ /]/.test((row[column] ?? '').trim())),
  );
  const narrowest = headings.map((_, column) =>
    Math.max(
      NARROWEST,
      ...rows.flatMap((row) => partsOf(row[column] ?? '').map((part) => lengthOf(part.trimEnd()))),
    ),
  );
  const canGive = (each: number, column: number): boolean =>
    breakable[column] === true && each > (narrowest[column] ?? each);
  const total = (): number =>
    widths.reduce((sum, each) => sum + each, 0) + GAP * (widths.length - 1);
  while (total() > width) {
    const candidates = widths.filter(canGive);
    if (candidates.length === 0) break;
    const widest = Math.max(...candidates);
    const next = Math.max(...candidates.filter((each) => each < widest));
    const column = widths.findIndex((each, index) => canGive(each, index) && each === widest);
    widths[column] = Math.max(next, widest - (total() - width), narrowest[column] ?? 0);
  }
  return rows.map((row) =>
    row.map((cell, column) => wrapText(cell, widths[column] ?? width).join('\n')),
  );
};
