import type { FeedProblem } from '../../../core/advisories/advisory.ts';

/** `all.zip/DSA-1.json, DSA-1, affected.0: expected …`. */
export const problemText = (problem: FeedProblem | undefined): string =>
  problem === undefined
    ? ''
    : `${[problem.file, problem.record, problem.field].filter((part) => part !== '').join(', ')}: ${problem.reason}`;
