import type { SkippedTest } from './read-skipped.ts';

/** What came of a run of the whole suite. */
export interface SuiteRun {
  /** Parts that passed, and the names of those that failed. */
  passed: number;
  failed: readonly string[];
  /** What was left out, each with its reason. */
  notRun: readonly string[];
  /** Tests that Jest skipped in parts that were run. */
  skipped: readonly SkippedTest[];
  /** In CI nothing may be left out. */
  mustRunAll: boolean;
}

const skippedText = (count: number): string =>
  `${count === 1 ? '1 test that was' : `${count} tests that were`} skipped (named above)`;

/** What is said at the end, and the exit status: one line tells what was not run and why. Pure. */
export const conclude = (run: SuiteRun): { lines: string[]; exitCode: number } => {
  const { passed, failed, skipped } = run;
  const notRun = [...run.notRun, ...(skipped.length > 0 ? [skippedText(skipped.length)] : [])];
  const leftOut = notRun.length > 0 && run.mustRunAll;
  return {
    lines: [
      `${passed} passed, ${failed.length} failed`,
      ...(failed.length > 0 ? [`failed: ${failed.join(', ')}`] : []),
      ...skipped.map(({ file, name }) => `skipped: ${file}: ${name}`),
      notRun.length === 0 ? 'All parts were run.' : `Not run: ${notRun.join('; ')}.`,
      ...(leftOut ? ['In CI everything must run: this is a failure.'] : []),
    ],
    exitCode: failed.length > 0 || leftOut ? 1 : 0,
  };
};
