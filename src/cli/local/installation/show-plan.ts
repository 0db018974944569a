import type { Change, Plan } from './plan.ts';

const NEW_LINES = 12;

const octal = (mode: number): string => mode.toString(8).padStart(4, '0');

const linesOf = (text: string): string[] => text.replace(/\n$/, '').split('\n');

/** Lines of `a` and `b` with what is only in one of them marked, by their longest common sequence. */
export const diffLines = (a: readonly string[], b: readonly string[]): string[] => {
  const common = Array.from({ length: a.length + 1 }, () =>
    new Array<number>(b.length + 1).fill(0),
  );
  const cell = (i: number, j: number): number => common[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--) {
      const row = common[i];
      if (row !== undefined)
        row[j] = a[i] === b[j] ? cell(i + 1, j + 1) + 1 : Math.max(cell(i + 1, j), cell(i, j + 1));
    }
  const out: string[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const [left, right] = [a[i], b[j]];
    if (left !== undefined && left === right) {
      out.push(`  ${left}`);
      i++;
      j++;
    } else if (left !== undefined && (right === undefined || cell(i + 1, j) >= cell(i, j + 1))) {
      out.push(`- ${left}`);
      i++;
    } else {
      out.push(`+ ${right ?? ''}`);
      j++;
    }
  }
  return out;
};

/** Only what differs, with two lines around it. */
const differences = (before: string, after: string): string[] => {
  const all = diffLines(linesOf(before), linesOf(after));
  const near = (index: number): boolean =>
    all.slice(Math.max(0, index - 2), index + 3).some((line) => !line.startsWith('  '));
  return all.filter((_, index) => near(index));
};

const describe = (change: Change, verbose: boolean): string[] => {
  switch (change.kind) {
    case 'make-directory':
      return [`make directory  ${change.path} (${octal(change.mode)})`];
    case 'set-mode':
      return [`change mode     ${change.path}: ${octal(change.from)} to ${octal(change.to)}`];
    case 'write-file': {
      if (change.before !== null)
        return [
          `change file     ${change.path} (${octal(change.mode)})`,
          ...differences(change.before, change.after).map((line) => `    ${line}`),
        ];
      const lines = linesOf(change.after);
      const shown = verbose ? lines : lines.slice(0, NEW_LINES);
      return [
        `write file      ${change.path} (${octal(change.mode)})`,
        ...shown.map((line) => `    + ${line}`),
        ...(shown.length < lines.length
          ? [`    … ${lines.length - shown.length} more lines (--verbose shows them)`]
          : []),
      ];
    }
    case 'remove-file':
      return [`remove file     ${change.path}`];
    case 'remove-directory':
      return [`remove dir      ${change.path}`];
    case 'remove-tree':
      return [`remove dir      ${change.path} and everything in it`];
    case 'make-key':
      return [`make key        ${change.path} (0600)`];
    case 'run':
      return [`run             ${change.argv.join(' ')}`];
  }
};

/** The plan as a person reads it before saying yes. */
export const showPlan = ({ changes, notes, problems }: Plan, verbose: boolean): string =>
  [
    ...changes.flatMap((change) => describe(change, verbose)),
    ...notes.map((note) => `note: ${note}`),
    ...problems.map((problem) => `cannot go on: ${problem}`),
  ]
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
