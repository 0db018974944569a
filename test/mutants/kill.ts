import { errorText } from '../../src/core/error-text.ts';
import { whileBroken } from './checkout.ts';
import type { Checkout } from './checkout.ts';
import type { Mutant } from './mutant.ts';
import { runTests } from './run-tests.ts';
import type { TestRun } from './run-tests.ts';

export interface Verdict {
  mutant: Mutant;
  /** `invalid`: it shows nothing, for its text is not there or its tests do not run. */
  kind: 'killed' | 'survived' | 'invalid';
  /** The tests that failed, or why it was not killed. */
  by: string;
  /** With the rule broken. */
  ms: number;
}

/** The tests of a file that have to kill mutants, with nothing broken; each file is run once. */
export type UnbrokenRun = (checkout: Checkout, killedBy: Mutant['killedBy']) => Promise<TestRun>;

const unbrokenLimitMs = 300_000;
/** A break may make tests wait for what never comes: each of them for its own limit. */
const patienceMs = 90_000;

const namesOf = ({ test }: Mutant['killedBy']): string[] => (test === undefined ? [] : [test]);

export const unbrokenRuns = (mutants: readonly Mutant[]): UnbrokenRun => {
  const runs = new Map<string, Promise<TestRun>>();
  return (checkout, killedBy) => {
    const { file } = killedBy;
    const known = runs.get(file);
    if (known !== undefined) return known;
    const all = mutants.flatMap((one) => (one.killedBy.file === file ? [one.killedBy] : []));
    const names = all.some(({ test }) => test === undefined) ? [] : all.flatMap(namesOf);
    const run = runTests(checkout, killedBy, [...new Set(names)], unbrokenLimitMs);
    runs.set(file, run);
    return run;
  };
};

/** Why the tests that should kill a mutant cannot: they fail without it, or do not run here; null: they can. */
const unfit = ({ file, test }: Mutant['killedBy'], run: TestRun): string | null => {
  if (run.late) return `${file} does not end with nothing broken`;
  if (run.problem !== null) return `${file} does not run with nothing broken: ${run.problem}`;
  if (run.failed.length > 0) return `${file} fails with nothing broken: ${run.failed.join(', ')}`;
  return run.passed.some((name) => name.includes(test ?? ''))
    ? null
    : `no test of ${file} that ran is called "${test ?? ''}" (some want root)`;
};

/** Break the rule in a checkout, whose tests pass without that, and see who notices. Never rejects. */
export const tryMutant = async (
  checkout: Checkout,
  mutant: Mutant,
  unbroken: UnbrokenRun,
): Promise<Verdict> => {
  const invalid = (by: string): Verdict => ({ mutant, kind: 'invalid', by, ms: 0 });
  try {
    const before = await unbroken(checkout, mutant.killedBy);
    const reason = unfit(mutant.killedBy, before);
    if (reason !== null) return invalid(reason);
    const run = await whileBroken(checkout, mutant, () =>
      runTests(checkout, mutant.killedBy, namesOf(mutant.killedBy), patienceMs + 2 * before.ms),
    );
    const { failed, late, ms, problem } = run;
    if (failed.length > 0) return { mutant, kind: 'killed', by: failed.join('; '), ms };
    if (late) return { mutant, kind: 'killed', by: 'its tests do not come to an end', ms };
    if (problem !== null) return { ...invalid(`with it no test runs: ${problem}`), ms };
    const by = `${run.passed.length} tests of ${mutant.killedBy.file} pass`;
    return { mutant, kind: 'survived', by, ms };
  } catch (error) {
    return invalid(errorText(error));
  }
};
