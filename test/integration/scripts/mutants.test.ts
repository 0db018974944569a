import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { execa } from 'execa';
import { exists } from '../../bed/exists.ts';
import { waitUntil } from '../../bed/wait-until.ts';
import { copyPartOfProject } from './part-of-project.ts';

const here = process.cwd();
/** One whose tests take no time. */
const what = 'nobody looks whether a record was edited';
const [source, tests] = ['src/audit/chain.ts', 'test/audit/chain.test.ts'];

let place: string;
/** What the command writes, and has to take away again. */
let scratch: string;
beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'gs-mutants-'));
  scratch = join(place, 'tmp');
  await mkdir(scratch);
});
afterEach(() => rm(place, { recursive: true }));

const mutants = (directory: string, ...args: string[]) =>
  execa(process.execPath, ['--import', 'tsx', 'scripts/mutants.ts', ...args], {
    ...{ cwd: directory, reject: false },
    env: { NODE_OPTIONS: '', TMPDIR: scratch },
  });

/** Beside a cache of the compiler's. */
const copies = async (): Promise<string[]> =>
  (await readdir(scratch)).filter((name) => name.startsWith('gsm-'));

test('npm run mutants names the test that kills a mutant; status 0', async () => {
  const { exitCode, stdout } = await mutants(here, '--only', what, '--jobs', '1');
  expect(stdout).toMatch(new RegExp(`audit.*${what}.*${source}.*\\w`));
  expect(stdout).toContain('1 mutant, 1 killed');
  expect({ exitCode, left: await copies() }).toEqual({ exitCode: 0, left: [] });
}, 120_000);

test('a survivor fails the command, and is named', async () => {
  const copy = join(place, 'copy');
  await copyPartOfProject(copy);
  await writeFile(
    join(copy, tests),
    "import { test } from '@jest/globals';\ntest('looks at nothing', () => undefined);\n",
  );
  const { exitCode, stdout } = await mutants(copy, '--only', what);
  expect(stdout).toContain('1 mutant, 0 killed');
  expect(stdout).toContain(`survived: audit ${what} (${source}): 1 tests of ${tests} pass`);
  expect(exitCode).toBe(1);
}, 120_000);

test('Ctrl-C in the middle leaves nothing: no copy, and the project as it was', async () => {
  const before = await readFile(join(here, source), 'utf8');
  const running = mutants(here, '--only', what, '--jobs', '1');
  const compiled = async (): Promise<boolean> => {
    const [made] = await copies();
    return made !== undefined && exists(join(scratch, made, 't0/jest'));
  };
  await waitUntil('tests are at work in the copy', compiled, { deadlineMs: 60_000 });
  running.kill('SIGINT');
  const { exitCode } = await running;
  expect({ exitCode, left: await copies() }).toEqual({ exitCode: 130, left: [] });
  expect(await readFile(join(here, source), 'utf8')).toBe(before);
}, 120_000);

test.each([
  [['--only', '('], /Invalid regular expression/],
  [['--jobs', '0'], /--jobs wants a whole number/],
  [['--only', 'no mutant is called so'], /no mutant is called/],
  [['all'], /'all'/],
])(
  '%s is refused, with what is allowed',
  async (args, said) => {
    const { exitCode, stderr } = await mutants(here, ...args);
    expect(stderr).toMatch(said);
    expect(stderr).toContain('usage: npm run mutants -- [--only PATTERN] [--jobs N]');
    expect(exitCode).toBe(2);
  },
  60_000,
);
