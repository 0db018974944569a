import { readFileSync } from 'node:fs';

export const fixture = (name: string): Buffer =>
  readFileSync(new URL(`../../fixtures/versions/${name}`, import.meta.url));

/** Rows without the header; cells are not trimmed, since blanks are part of some versions. */
export const rows = (text: string): string[][] =>
  text
    .split('\n')
    .slice(1)
    .filter((line) => line !== '')
    .map((line) => line.split('\t'));

const RELATIONS: Record<string, (sign: number) => boolean> = {
  '-1': (sign) => sign === -1,
  '0': (sign) => sign === 0,
  '1': (sign) => sign === 1,
  '<': (sign) => sign < 0,
  '<=': (sign) => sign <= 0,
  '>': (sign) => sign > 0,
  '>=': (sign) => sign >= 0,
  '==': (sign) => sign === 0,
  '!=': (sign) => sign !== 0,
};

/** The rows that an order does not agree with. */
export const wrong = (
  table: string[][],
  compare: (a: string, b: string) => number,
  column = 2,
): string[][] =>
  table.filter((row) => {
    const [a = '', b = ''] = row;
    const holds = RELATIONS[row[column] ?? ''];
    return holds === undefined || !holds(compare(a, b));
  });
