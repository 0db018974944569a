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

/** How a feed stands after its content was taken, or held back. */
export const afterTaking = (
  state: FeedState,
  version: string,
  taken: Taken,
  now: number,
): FeedState => {
  const { problemCount, problems } = taken;
  if (taken.kind === 'held') {
    const { had, has } = taken;
    const since = state.held?.version === version ? state.held.since : now;
    const error = heldText(state.name, { had, has });
    return { ...state, error, problemCount, problems, held: { version, had, has, since } };
  }
  const { records, changed, withdrawn, older } = taken;
  return {
    ...state,
    ...{ records, problemCount, problems, version, held: null, accepted: null, error: null },
    ...(changed + older === 0 ? {} : { changed: changed - withdrawn, withdrawn, older }),
    lastChange: changed > 0 ? now : state.lastChange,
  };
};
