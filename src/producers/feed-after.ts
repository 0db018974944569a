import type { FeedProblem } from '../core/advisories/advisory.ts';
import type { FeedState } from '../core/advisories/feed-state.ts';
import type { Taken } from './take-feed.ts';

/** How long the server asked to be left alone, where an error tells. */
export const retryAfterOf = (error: unknown): number | null =>
  typeof error === 'object' &&
  error !== null &&
  'retryAfterMs' in error &&
  typeof error.retryAfterMs === 'number'
    ? error.retryAfterMs
    : null;

const heldText = (name: string, { had, has }: { had: number; has: number }): string =>
  `held back: it had ${had} advisories, and now has ${has}; if that is right: groundswell feeds accept ${name}`;

/** In place of a version. */
export const atItsSource = 'at its source';

/** How a feed stands whose new content lost so much that it was not even brought here: the mirror has what it had. */
export const heldAtSource = (
  state: FeedState,
  lost: { had: number; has: number },
  now: number,
): FeedState => {
  const since = state.held?.version === atItsSource ? state.held.since : now;
  const held = { version: atItsSource, ...lost, since };
  return { ...state, error: heldText(state.name, lost), held };
};

/** With these records in place of those that did not come before. */
export const withRefused = (state: FeedState, refused: readonly FeedProblem[]): FeedState => {
  const read = state.problems.filter((problem) => problem.refused !== true);
  const others = state.problemCount - (state.problems.length - read.length);
  return {
    ...state,
    problemCount: others + refused.length,
    problems: [
      ...read,
      ...refused.map(({ file, record, field, reason }) => ({
        ...{ file, record, field, reason },
        refused: true as const,
      })),
    ],
  };
};

type Problems = Pick<FeedState, 'problemCount' | 'problems' | 'problemFiles'>;

/** What could not be used of files that were not read again. */
const inOthers = (
  { problemCount, problems, problemFiles }: FeedState,
  read: readonly string[],
): Problems => {
  const names = new Set(read);
  const isOther = (file: string): boolean =>
    !names.has(file) && !read.some((name) => file.startsWith(`${name}/`));
  const files = Object.entries(problemFiles);
  const others = files.filter(([file]) => isOther(file));
  const again = files.filter(([file]) => !isOther(file));
  return {
    problemCount: problemCount - again.reduce((all, [, count]) => all + count, 0),
    problems: problems.filter(({ file }) => isOther(file)),
    problemFiles: Object.fromEntries(others),
  };
};

const problemsOf = ({ problemCount, problems, problemFiles }: Problems): Problems => ({
  ...{ problemCount, problems, problemFiles },
});

const keptProblems = 20;
const together = (now: Problems, before: Problems): Problems => ({
  problemCount: now.problemCount + before.problemCount,
  problems: [...now.problems, ...before.problems].slice(0, keptProblems),
  problemFiles: { ...before.problemFiles, ...now.problemFiles },
});

/** How a feed stands after its content was taken, or held back. `read`: of which files; problems in others count on. */
export const afterTaking = (
  state: FeedState,
  { version, read }: { version: string; read: 'all' | readonly string[] },
  taken: Taken,
  now: number,
): FeedState => {
  if (taken.kind === 'held') {
    const { had, has, problemCount, problems } = taken;
    const since = state.held?.version === version ? state.held.since : now;
    const error = heldText(state.name, { had, has });
    const found = { problemCount, problems, problemFiles: {} };
    return { ...state, ...found, error, held: { version, had, has, since } };
  }
  const { records, changed, withdrawn, older } = taken;
  return {
    ...state,
    ...(read === 'all' ? problemsOf(taken) : together(problemsOf(taken), inOthers(state, read))),
    ...{ records, version, held: null, accepted: null, error: null },
    ...(changed + older === 0 ? {} : { changed: changed - withdrawn, withdrawn, older }),
    lastChange: changed > 0 ? now : state.lastChange,
  };
};
