import type { FeedProblem } from '../core/advisories/advisory.ts';

/** A record that is a file of its own is named once. */
const placeOf = ({ file, record, field }: FeedProblem): string =>
  [...new Set([file, record, field])].filter((part) => part !== '').join(', ');

/** `all.zip/DSA-1.json, DSA-1, affected.0: expected …`. */
export const problemText = (problem: FeedProblem | undefined): string =>
  problem === undefined ? '' : `${placeOf(problem)}: ${problem.reason}`;
