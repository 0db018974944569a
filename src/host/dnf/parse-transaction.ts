import { Unreadable } from '../../core/unreadable.ts';

/** One package in the table that dnf shows before a transaction; `version` is `[epoch:]version-release`. */
export interface TableRow {
  name: string;
  arch: string;
  version: string;
}

/** What a transaction would do, as dnf 4 and 5 show it. */
export interface DnfSimulation {
  /** Newly installed, for whatever reason; also a further kernel beside the others. */
  installs: TableRow[];
  upgrades: TableRow[];
  downgrades: TableRow[];
  /** Installed once more in the version that is there. */
  reinstalls: TableRow[];
  /** Taken away, those that another one obsoletes included. */
  removes: TableRow[];
  /** What was asked for and left out because of conflicts or missing dependencies. */
  skipped: TableRow[];
}

const SECTIONS: readonly (readonly [RegExp, keyof DnfSimulation])[] = [
  [
    /^Installing(?: dependencies| weak dependencies| group\/module packages| environment packages)?:$/,
    'installs',
  ],
  [/^Upgrading:$/, 'upgrades'],
  [/^Downgrading:$/, 'downgrades'],
  [/^Reinstalling:$/, 'reinstalls'],
  [/^Removing(?: .*)?:$/, 'removes'],
  [/^Skipping packages with .*:$/, 'skipped'],
];

/** dnf 5 writes an epoch of zero out, dnf 4 does not. */
const withoutZeroEpoch = (version: string): string => version.replace(/^0:/, '');

const rowOf = ([name = '', arch = '', version = '']: readonly string[]): TableRow => ({
  ...{ name, arch, version: withoutZeroEpoch(version) },
});

/** `replacing  gs-old.noarch 1.0-1` (dnf 4) or `replacing gs-old noarch 0:1.0-1 bed 17.0 B` (dnf 5). */
const replacedOf = ([first = '', second = '', third = '']: readonly string[]): TableRow => {
  const dot = first.lastIndexOf('.');
  return /^\d/.test(second) && dot > 0
    ? rowOf([first.slice(0, dot), first.slice(dot + 1), second])
    : rowOf([first, second, third]);
};

const wordsOf = (line: string): string[] => line.split(/\s+/).filter((word) => word !== '');

/**
 * Reads the table in what dnf printed. Rows that are too long for the terminal go on in the next line, further to the
 * right. Throws on a row that it cannot read.
 */
export const parseTransaction = (output: string): DnfSimulation => {
  const found: DnfSimulation = {
    ...{ installs: [], upgrades: [], downgrades: [], reinstalls: [] },
    ...{ removes: [], skipped: [] },
  };
  let section: keyof DnfSimulation | null = null;
  let row: string[] | null = null;
  const end = (): void => {
    if (row !== null && section !== null) {
      if (row.length < 4)
        throw new Unreadable(
          "a row of dnf's table",
          row.join(' '),
          'run it by hand with --assumeno and LC_ALL=C; a plugin that writes into the table has to go',
        );
      found[section].push(rowOf(row));
    }
    row = null;
  };
  for (const line of output.split('\n')) {
    const heading = SECTIONS.find(([sign]) => sign.test(line));
    if (heading !== undefined || !line.startsWith(' ')) {
      end();
      // dnf 4 explains the section of what it skips in a line of parentheses.
      if (heading !== undefined) section = heading[1];
      else if (!line.startsWith('(')) section = null;
      continue;
    }
    if (section === null) continue;
    const words = wordsOf(line);
    if (words[0] === 'replacing') {
      const last = row?.[0];
      const replaced = replacedOf(words.slice(1));
      // dnf 5 lists the older version of the very package too.
      if (replaced.name !== last) found.removes.push(replaced);
    } else if (/^ \S/.test(line)) {
      end();
      row = words;
    } else if (row !== null) row.push(...words);
  }
  end();
  return found;
};

/** What dnf would not do because it was told no (`--assumeno`), and not because it cannot. */
export const wasOnlyAsked = (output: string): boolean =>
  /^Operation aborted(?: by the user)?\.$/m.test(output);
