import Table from 'cli-table3';
import { colours } from './colours.ts';
import { fitRows } from './fit.ts';
import { shortIds } from './short-ids.ts';

const borderless = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

/** The columns of the terminal on standard output; a file or a pipe has no end. */
export const terminalWidth = (): number =>
  process.stdout.isTTY ? process.stdout.columns : Infinity;

/**
 * A table in the way of kubectl: headings in capitals, no lines, two blanks between columns; on a
 * terminal ids are short, and long texts are wrapped within their column.
 */
export const formatTable = (
  headings: string[],
  rows: string[][],
  width = terminalWidth(),
): string => {
  const table = new Table({
    head: headings.map((heading) => heading.toUpperCase()),
    chars: borderless,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  const shown = Number.isFinite(width) ? rows.map((row) => row.map(shortIds)) : rows;
  table.push(...fitRows(headings, shown, width));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
};

/** `3s`, `12m`, `5h`, `2d`: how long ago or how long, as kubectl says it. */
export const formatDuration = (ms: number): string => {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.round(seconds / 3_600)}h`;
  return `${Math.round(seconds / 86_400)}d`;
};

const tones: [RegExp, (text: string) => string][] = [
  [/^(healthy|ok|verified|finished|available|running|present)\b/, colours.green],
  [
    /^(stale|waiting|pausing|paused|shadowed|pending|restarting|approve|silent|not heard)/,
    colours.yellow,
  ],
  [/^(failed|unhealthy|excluded|revoked|stopped|declined|unknown|gone)/, colours.red],
];

/** Colour a state word by its meaning. */
export const tint = (text: string): string =>
  (tones.find(([pattern]) => pattern.test(text))?.[1] ?? ((same: string) => same))(text);

export const countOf = (n: number, one: string, many = `${one}s`): string =>
  `${n} ${n === 1 ? one : many}`;
