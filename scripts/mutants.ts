import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { countOf, formatTable } from '../src/cli/print.ts';
import { errorText } from '../src/core/error-text.ts';
import { onInterrupt } from '../test/bed/on-interrupt.ts';
import { brokenRules } from '../test/model/breaks.ts';
import { restoreBreaks } from '../test/model/restore-scenarios.ts';
import { mutants as allMutants } from '../test/mutants/all.ts';
import { makeCheckouts } from '../test/mutants/checkout.ts';
import type { Checkout } from '../test/mutants/checkout.ts';
import { tryMutant, unbrokenRuns } from '../test/mutants/kill.ts';
import type { Verdict } from '../test/mutants/kill.ts';
import { endTests } from '../test/mutants/run-tests.ts';
import { brokenInSimulation } from '../test/simulation/breaks.ts';

/**
 * `npm run mutants -- [--only PATTERN] [--jobs N]`: breaks our own rules in copies of the project, one at a time, and names for
 * each the tests that fail then. The exit status is 1 where one survives, or is none any more.
 */
const usage =
  'usage: npm run mutants -- [--only PATTERN] [--jobs N]; PATTERN: a regular expression for rule, file or description';

const options = (): { only: RegExp; jobs: number } => {
  try {
    const { values } = parseArgs({
      options: { only: { type: 'string' }, jobs: { type: 'string' } },
    });
    const jobs = Number(values.jobs ?? availableParallelism());
    if (!Number.isSafeInteger(jobs) || jobs < 1)
      throw new Error(`--jobs wants a whole number from 1 on, and got "${values.jobs ?? ''}"`);
    return { only: new RegExp(values.only ?? '', 'i'), jobs };
  } catch (error) {
    console.error(`${errorText(error)}\n${usage}`);
    process.exit(2);
  }
};

/** Work off `tasks` with one worker for each checkout; answers in their order. */
const inCheckouts = async <Task, Result>(
  checkouts: readonly Checkout[],
  tasks: readonly Task[],
  work: (checkout: Checkout, task: Task) => Promise<Result>,
  signal: AbortSignal,
): Promise<Result[]> => {
  const results: Result[] = [];
  const open = [...tasks.entries()];
  await Promise.all(
    checkouts.map(async (checkout) => {
      for (let next = open.shift(); next !== undefined; next = open.shift()) {
        const result = await work(checkout, next[1]);
        signal.throwIfAborted();
        results[next[0]] = result;
      }
    }),
  );
  return results;
};

const seconds = (ms: number): string => (ms / 1_000).toFixed(1);

const row = ({ mutant, kind, by, ms }: Verdict): string[] => [
  mutant.rule,
  mutant.what,
  mutant.file,
  kind === 'killed' ? by : `${kind.toUpperCase()}: ${by}`,
  seconds(ms),
];

const tellOthers = (): void => {
  console.log(
    `besides: ${countOf(brokenRules.length, 'break')} of the core that the model explores and ${restoreBreaks.length} of restores in random walks (npm run test:model), ` +
      `${brokenInSimulation.length} that the simulation finds (npm run test:simulation); npm test runs all of them`,
  );
};

const main = async (): Promise<number> => {
  const { only, jobs } = options();
  const chosen = allMutants.filter(({ rule, what, file }) =>
    [rule, what, file].some((text) => only.test(text)),
  );
  if (chosen.length === 0) {
    console.error(`no mutant is called /${only.source}/\n${usage}`);
    return 2;
  }
  const began = performance.now();
  const place = await mkdtemp(join(tmpdir(), 'gsm-'));
  const ending = new AbortController();
  const cleanUp = async (): Promise<void> => {
    ending.abort();
    await endTests();
    await rm(place, { recursive: true, force: true, maxRetries: 5 });
  };
  const withoutHandlers = onInterrupt(cleanUp, (line) => {
    console.error(line);
  });
  try {
    const root = join(import.meta.dirname, '..');
    const checkouts = await makeCheckouts(root, place, Math.min(jobs, chosen.length));
    const run = unbrokenRuns(chosen);
    let tried = 0;
    const verdicts = await inCheckouts(
      checkouts,
      chosen,
      async (checkout, mutant) => {
        const verdict = await tryMutant(checkout, mutant, run);
        if (ending.signal.aborted) return verdict;
        tried += 1;
        console.error(`${tried}/${chosen.length} ${verdict.kind}: ${mutant.what}`);
        return verdict;
      },
      ending.signal,
    );
    console.log(
      formatTable(['rule', 'what is broken', 'file', 'killed by', 'seconds'], verdicts.map(row)),
    );
    const survivors = verdicts.filter(({ kind }) => kind !== 'killed');
    console.log(
      `\n${countOf(chosen.length, 'mutant')}, ${chosen.length - survivors.length} killed, ${seconds(performance.now() - began)} s`,
    );
    for (const { mutant, kind, by } of survivors)
      console.log(`${kind}: ${mutant.rule} ${mutant.what} (${mutant.file}): ${by}`);
    tellOthers();
    return survivors.length === 0 ? 0 : 1;
  } finally {
    await cleanUp();
    withoutHandlers();
  }
};

process.exitCode = await main();
