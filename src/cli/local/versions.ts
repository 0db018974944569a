import type { Command } from 'commander';
import { Argument } from 'commander';
import { compareDebVersions, parseDebVersion } from '../../core/versions/compare-deb-versions.ts';
import { compareRpmVersions, parseRpmVersion } from '../../core/versions/compare-rpm-versions.ts';

export interface VersionsDependencies {
  /** Text, in pieces of any size; asked for once it is needed. */
  input: () => AsyncIterable<string>;
  /** Resolves once more may be written: its reader may be slower than we are. */
  write: (text: string) => Promise<void>;
}

interface Scheme {
  compare: (a: string, b: string) => number;
  parse: (text: string) => { ok: true } | { ok: false; error: string };
}

const schemes: Record<string, Scheme> = {
  deb: { compare: compareDebVersions, parse: parseDebVersion },
  rpm: { compare: compareRpmVersions, parse: parseRpmVersion },
};

const answerTo = (line: string, { compare, parse }: Scheme): string => {
  const versions = line.split('\t');
  const [a, b] = versions;
  if (a === undefined || b === undefined || versions.length !== 2)
    return `invalid: want two versions with a tab between them, found ${versions.length}`;
  for (const one of [a, b]) {
    const parsed = parse(one);
    if (!parsed.ok) return `invalid: ${parsed.error}`;
  }
  return String(compare(a, b));
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
        'neither is, or "invalid: " and what is wrong with which version.\n',
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
