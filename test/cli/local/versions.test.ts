import { describe, expect, test } from '@jest/globals';
import { Command } from 'commander';
import { registerVersions } from '../../../src/cli/local/versions.ts';
import { fixture, rows, wrong } from '../../core/versions/vectors.ts';

const answers = async (scheme: string, ...pieces: string[]): Promise<string> => {
  let written = '';
  const program = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
  registerVersions(program, {
    // eslint-disable-next-line @typescript-eslint/require-await
    input: async function* () {
      yield* pieces;
    },
    write: (text) => {
      written += text;
      return Promise.resolve();
    },
  });
  await program.parseAsync(['versions', scheme], { from: 'user' });
  return written;
};

describe('groundswell versions', () => {
  test('answers each line of Debian versions', async () => {
    expect(await answers('deb', '1.0\t1.0-0\n1:1\t2\n1.0~rc1\t1.0\n')).toBe('0\n1\n-1\n');
  });

  test('answers each line of rpm versions', async () => {
    expect(await answers('rpm', '1.0\t1.0-0\n1.0^x\t1.0\n2_0-1\t2.0-1\n')).toBe('-1\n1\n0\n');
  });

  test('takes lines in any pieces, with either end of line, and one without', async () => {
    expect(await answers('deb', '1', '\t2\r', '\n2\t', '1\n1\t1')).toBe('-1\n1\n0\n');
    expect(await answers('deb', '')).toBe('');
  });

  test('says what is wrong with which version, or with the line, and goes on', async () => {
    expect(await answers('deb', 'v1\t1\n1 2\n1\t2\t3\n\n1\t2\n')).toBe(
      [
        'invalid: version "v1": upstream version v1 does not start with a digit',
        'invalid: want two versions with a tab between them, found 1',
        'invalid: want two versions with a tab between them, found 3',
        'invalid: want two versions with a tab between them, found 1',
        '-1\n',
      ].join('\n'),
    );
  });

  /** Every row of the vectors: what the command answers, against what is expected. */
  const differing = async (scheme: string, table: string[][]): Promise<string[][]> => {
    const lines = await answers(scheme, table.map(([a, b]) => `${a}\t${b}\n`).join(''));
    const signs = lines.split('\n');
    const compared = (a: string, b: string): number => {
      const answer = signs[table.findIndex(([x, y]) => x === a && y === b)];
      return answer?.startsWith('invalid') === false ? Number(answer) : NaN;
    };
    return wrong(table, compared);
  };

  test('answers every row that other projects test their own order with', async () => {
    const read = (name: string): string[][] => rows(fixture(name).toString());
    for (const name of ['rpm-segment-compare.tsv', 'rpm-evr-compare.tsv'])
      expect(await differing('rpm', read(name))).toEqual([]);
    expect(await differing('deb', read('deb-compare.tsv'))).toEqual([]);
  });

  test('names every text that they know to be no version', async () => {
    const invalid = rows(fixture('deb-parse.tsv').toString()).flatMap(([json = '', expected]) =>
      expected === 'invalid' ? [JSON.parse(json) as string] : [],
    );
    expect(invalid).toHaveLength(37);
    for (const text of invalid) expect(await answers('deb', `${text}\t1\n`)).toMatch(/^invalid: /);
  });

  test('a word in place of a version is newer than each without an epoch, as dpkg has it', async () => {
    expect(await answers('deb', 'invalid\t9:9\nunknown\tinvalid\n1\tunknown\n')).toBe(
      '-1\n1\n-1\n',
    );
  });

  test('so is all that has no number; one that has a number must begin with it', async () => {
    expect(await answers('deb', '~\t1\nabc\tunknown\na.b\ta+b\n')).toBe('-1\n-1\n1\n');
    for (const text of ['abc1', 'v1', '~1', '1.0_2', '-', 'a:b'])
      expect(await answers('deb', `${text}\t1\n`)).toMatch(/^invalid: /);
  });

  test('the revision of what was a rpm is ordered', async () => {
    expect(await answers('deb', '1.0-4.el6_3\t1.0-4.el6_4\n1.0-_\t1\n')).toMatch(/^-1\ninvalid: /);
  });

  test('nothing is older than any version, and as old as nothing', async () => {
    expect(await answers('deb', '\t0\n0~\t\n\t\n')).toBe('-1\n1\n0\n');
    expect(await answers('rpm', '\t0\n0\t\n\t\n')).toBe('-1\n1\n0\n');
  });

  test('blanks around a version are none of it', async () => {
    expect(await answers('deb', ' 1:1 \t1:1\n')).toBe('0\n');
    expect(await answers('rpm', ' 1:1-1 \t1:1-1\n1 1\t1\n')).toBe(
      '0\ninvalid: version "1 1" has blanks inside\n',
    );
  });

  test('knows no other order', async () => {
    await expect(answers('apk', '')).rejects.toThrow(/deb, rpm/);
  });
});
