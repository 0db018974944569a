import type { Command } from 'commander';
import { Argument } from 'commander';
import { compareDebVersions, parseDebVersion } from '../../core/versions/compare-deb-versions.ts';
import {
  compareRpmSegments,
  compareRpmVersions,
  parseRpmVersion,
} from '../../core/versions/compare-rpm-versions.ts';

export interface VersionsDependencies {
  /** Text, in pieces of any size; asked for once it is needed. */
  input: () => AsyncIterable<string>;
  /** Resolves once more may be written: its reader may be slower than we are. */
  write: (text: string) => Promise<void>;
}

interface Scheme {
  compare: (a: string, b: string) => number;
  /** What is wrong with a version; null: nothing. */
  problemOf: (text: string) => string | null;
}

const errorOf = (parsed: { ok: true } | { ok: false; error: string }): string | null =>
  parsed.ok ? null : parsed.error;

/** No version at all is older than each, and as old as another such: so dpkg has it, and `rpmvercmp` of nearly all. */
const orEmpty = (problemOf: (text: string) => string | null) => (text: string) =>
  text === '' ? null : problemOf(text);

/** `unknown`: no version that went wrong, but none at all, since it has no number. dpkg orders it like any other text. */
const isWord = (text: string): boolean => /^[a-z.+~]+$/i.test(text);

/** `4.el6.x86_64`: dpkg orders the revisions of what was once a rpm, although it installs nothing of such a version. */
const withoutRpmArch = (text: string): string =>
  text.replace(/-[^-]*$/, (revision) => revision.replace(/(?<=[a-z\d])_(?=[a-z\d])/gi, '.'));

/** More dashes than `version-release` has: rpm takes such a text as a whole, and a dash in it separates like any other sign. */
const isOnePart = (text: string): boolean => text.split('-').length > 2;

const schemes: Record<string, Scheme> = {
  deb: {
    compare: (a, b) =>
      a === '' || b === '' ? Number(a !== '') - Number(b !== '') : compareDebVersions(a, b),
    problemOf: orEmpty((text) =>
      isWord(text) ? null : errorOf(parseDebVersion(withoutRpmArch(text))),
    ),
  },
  rpm: {
    compare: (a, b) =>
      (isOnePart(a) || isOnePart(b) ? compareRpmSegments : compareRpmVersions)(a.trim(), b.trim()),
    problemOf: orEmpty((text) => (isOnePart(text) ? null : errorOf(parseRpmVersion(text.trim())))),
  },
};

const answerTo = (line: string, { compare, problemOf }: Scheme): string => {
  const versions = line.split('\t');
  const [a, b] = versions;
  if (a === undefined || b === undefined || versions.length !== 2)
    return `invalid: want two versions with a tab between them, found ${versions.length}`;
  const [problem] = [a, b].flatMap((one) => problemOf(one) ?? []);
  return problem === undefined ? String(compare(a, b)) : `invalid: ${problem}`;
};

/** `groundswell versions <deb|rpm>`: for each line of standard input the order of the two versions on it. */
export const registerVersions = (program: Command, deps: VersionsDependencies): void => {
  program
    .command('versions')
    .description('compare versions as dpkg or rpm do: two on a line, a tab between them')
    .addArgument(new Argument('<scheme>', 'whose order').choices(Object.keys(schemes)))
    .addHelpText(
      'after',
      '\nReads standard input and writes, for each line: -1 where the first is older, 1 where it is newer, 0 where\n' +
        'neither is, or "invalid: " and what is wrong with which version. Nothing is older than any version.\n' +
        'Of deb, what deb-version(7) forbids is invalid, also where dpkg warns and goes on (v1, 1.0_2); a word without any number\n' +
        '(unknown) and the revision of what was a rpm (6.0-4.el6.x86_64) are ordered as dpkg does.\n',
    )
    .action(async (name: string) => {
      const scheme = schemes[name];
      if (scheme === undefined) throw new Error(`no such order of versions: ${name}`);
      let rest = '';
      // What has come is answered at once: a person may type it.
      for await (const text of deps.input()) {
        const lines = `${rest}${text}`.split(/\r?\n/);
        rest = lines.pop() ?? '';
        if (lines.length > 0)
          await deps.write(lines.map((line) => `${answerTo(line, scheme)}\n`).join(''));
      }
      if (rest !== '') await deps.write(`${answerTo(rest, scheme)}\n`);
    });
};
