import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { whileBroken } from '../../mutants/checkout.ts';
import type { Checkout } from '../../mutants/checkout.ts';
import { tryMutant, unbrokenRuns } from '../../mutants/kill.ts';
import type { UnbrokenRun, Verdict } from '../../mutants/kill.ts';
import type { Mutant } from '../../mutants/mutant.ts';

/** A project of two rules, one of which has a test; another test fails whatever is done. */
const files = {
  'package.json': '{"type":"module"}',
  'jest.config.js':
    "export default { projects: [{ displayName: 'unit', testMatch: ['<rootDir>/test/*.js'], transform: {} }] };",
  'src/rules.js': 'export const may = (age) => age < 18;\nexport const must = (n) => n > 0;\n',
  'test/rules.js': `import { may } from '../src/rules.js';
test('the old may not', () => { expect(may(30)).toBe(false); });
test('the young may', () => { expect(may(3)).toBe(true); });`,
  'test/fails.js': "test('never passes', () => { throw new Error('always'); });",
};

let checkout: Checkout;
beforeAll(async () => {
  const place = await mkdtemp(join(tmpdir(), 'gs-mutant-'));
  checkout = { directory: join(place, 'project'), scratch: join(place, 'scratch') };
  for (const folder of ['src', 'test'])
    await mkdir(join(checkout.directory, folder), { recursive: true });
  await mkdir(checkout.scratch);
  for (const [name, text] of Object.entries(files))
    await writeFile(join(checkout.directory, name), text);
  await symlink(join(process.cwd(), 'node_modules'), join(checkout.directory, 'node_modules'));
});
afterAll(async () => {
  await rm(join(checkout.directory, '..'), { recursive: true });
});

const source = (): Promise<string> => readFile(join(checkout.directory, 'src/rules.js'), 'utf8');
beforeEach(async () => {
  expect(await source()).toBe(files['src/rules.js']);
});

const mutant = (more: Partial<Mutant>): Mutant => ({
  ...{ rule: 'R0', what: 'everybody may', file: 'src/rules.js', from: 'age < 18', to: 'age >= 0' },
  killedBy: { project: 'unit', file: 'test/rules.js' },
  ...more,
});
/** What passes with nothing broken is looked at once. */
let unbroken: UnbrokenRun;
beforeAll(() => {
  unbroken = unbrokenRuns([mutant({})]);
});
const tried = (one: Mutant): Promise<Verdict> => tryMutant(checkout, one, unbroken);

describe('a mutant', () => {
  test('that a test notices is killed, by its name', async () => {
    const verdict = await tried(mutant({}));
    expect(verdict).toMatchObject({ kind: 'killed', by: 'the old may not' });
    expect(await source()).toBe(files['src/rules.js']);
  });

  test('that no test notices has survived', async () => {
    const verdict = await tried(mutant({ from: 'n > 0', to: 'n >= 0' }));
    expect(verdict).toMatchObject({ kind: 'survived', by: '2 tests of test/rules.js pass' });
  });

  test('that the test which is named for it does not notice has survived, whatever another one says', async () => {
    const named = { project: 'unit', file: 'test/rules.js', test: 'the young may' } as const;
    const verdict = await tried(mutant({ killedBy: named }));
    expect(verdict).toMatchObject({ kind: 'survived', by: '1 tests of test/rules.js pass' });
  });

  test.each<[string, Partial<Mutant>, RegExp]>([
    ['whose text is not there', { from: 'age < 21' }, /holds "age < 21" 0 times, not once/],
    ['whose text is there twice', { from: 'export const' }, /2 times, not once/],
    ['whose file is not there', { file: 'src/gone.js' }, /ENOENT/],
    ['that does not compile', { to: 'age <' }, /no test runs/],
    [
      'whose tests fail without it',
      { killedBy: { project: 'unit', file: 'test/fails.js' } },
      /fails with nothing broken: never passes/,
    ],
    [
      'whose tests are not there',
      { killedBy: { project: 'unit', file: 'test/gone.js' } },
      /does not run with nothing broken/,
    ],
    [
      'that names no test of its file',
      { killedBy: { project: 'unit', file: 'test/rules.js', test: 'the tall may' } },
      /no test of test\/rules.js that ran is called "the tall may"/,
    ],
  ])('%s shows nothing, which is no kill', async (_, more, by) => {
    const verdict = await tried(mutant(more));
    expect(verdict).toMatchObject({ kind: 'invalid', by: expect.stringMatching(by) });
    expect(await source()).toBe(files['src/rules.js']);
  });
});

test('the rule stands again whatever becomes of the work that was done without it', async () => {
  const seen: string[] = [];
  const work = async (): Promise<never> => {
    seen.push(await source());
    throw new Error('the tests crashed');
  };
  await expect(whileBroken(checkout, mutant({}), work)).rejects.toThrow('crashed');
  expect(seen).toEqual([files['src/rules.js'].replace('age < 18', 'age >= 0')]);
  expect(await source()).toBe(files['src/rules.js']);
  // Beside it nothing is left that would be taken for a source.
  expect(await readdir(join(checkout.directory, 'src'))).toEqual(['rules.js']);
});
