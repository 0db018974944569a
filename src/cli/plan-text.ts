import { basename } from 'node:path';
import { countOf, formatTable, terminalWidth, tint } from './print.ts';
import type { Plan } from './views.ts';

type PlanEntry = Plan['entries'][number];

interface Column {
  heading: string;
  /** Said once, above the table, where it is the same for all of a wave. */
  whole: (entry: PlanEntry) => string;
  /** In its column, where it is not. */
  cell: (entry: PlanEntry) => string;
}

const nowOf = ({ impossible, now }: PlanEntry): string =>
  impossible === null ? now : tint(`failed ${impossible}`).replace('failed ', 'impossible: ');

const now: Column = { heading: 'now', whole: nowOf, cell: nowOf };

const why: Column = {
  heading: 'why',
  whole: ({ runs, why: text }) =>
    runs === null ? text : `${runs.command} maps ${runs.path} from before the upgrade`,
  cell: ({ runs, why: text }) =>
    runs === null ? text : `${runs.command} maps ${basename(runs.path)}`,
};

/** On a terminal, what stands in the row above is not said again. */
const withDittos = (rows: string[][], from: number): string[][] =>
  rows.map((row, index) =>
    row.map((cell, column) =>
      column >= from && cell !== '' && cell === rows[index - 1]?.[column] ? '"' : cell,
    ),
  );

/** After the wave's name, which waits for something; what else keeps it is a sentence of its own. */
const said = (text: string): string =>
  text === '' || text.startsWith('waits for ') ? ` ${text}`.trimEnd() : `: ${text}`;

/** What is the same for all of a wave's entries is said once, above them. */
const planPart = (waveId: string | null, entries: PlanEntry[], width: number): string => {
  const [first] = entries;
  const isSame = ({ whole }: Column): boolean =>
    waveId !== null && first !== undefined && entries.every((one) => whole(one) === whole(first));
  const shared = (column: Column): string =>
    isSame(column) && first !== undefined ? column.whole(first) : '';
  const columns = [why, now].filter((column) => !isSame(column));
  const title = waveId === null ? 'In no wave:' : `Wave ${waveId}${said(shared(now))}`;
  const fixed = ['order', 'container', 'service'];
  const rows = entries.map((entry) => [
    ...[String(entry.order), entry.container, entry.service],
    ...columns.map(({ cell }) => cell(entry)),
  ]);
  return [
    title,
    ...(shared(why) === '' ? [] : [`why: ${shared(why)}`]),
    formatTable(
      [...fixed, ...columns.map(({ heading }) => heading)],
      Number.isFinite(width) ? withDittos(rows, fixed.length) : rows,
      width,
    ),
    '',
  ].join('\n');
};

/** `groundswell plan`, for a terminal of that many columns, or none. */
export const planText = (
  { upgrades, entries, estimateMs, notes }: Plan,
  width: number = terminalWidth(),
): string => {
  const before = upgrades.map(
    ({ waveId, host, cause, now }) => `Wave ${waveId} (${cause}): upgrade of ${host}: ${now}`,
  );
  if (before.length > 0) before.push('');
  if (entries.length === 0)
    return [
      ...before,
      `nothing is to be restarted${before.length === 0 ? '' : ' before that'}`,
      ...notes,
    ].join('\n');
  const possible = entries.filter(({ impossible }) => impossible === null).length;
  const waveIds = [...new Set(entries.map(({ waveId }) => waveId))];
  return [
    ...before,
    ...waveIds.map((waveId) =>
      planPart(
        waveId,
        entries.filter((entry) => entry.waveId === waveId),
        width,
      ),
    ),
    `${countOf(possible, 'restart')}${possible === 0 ? '' : `, about ${Math.ceil(estimateMs / 1000)} s`}${possible === entries.length ? '' : `; ${entries.length - possible} impossible as things stand`}`,
    ...notes,
  ].join('\n');
};
