import { formatOption } from './problem.ts';
import type { Problem } from './problem.ts';
import { placeOf } from './located.ts';
import type { Located } from './located.ts';
import type { Configuration } from './schema.ts';

/** What is right, and yet may not be meant. It keeps nothing from starting: with time it comes by itself. */
export const configurationNotes = (
  { optOut }: Configuration,
  located: Located,
  wallMs: number,
): Problem[] =>
  optOut.flatMap(({ until }, index) => {
    if (until === undefined || Date.parse(until) > wallMs) return [];
    const path = ['optOut', index, 'until'];
    return [
      {
        ...placeOf(located, path),
        option: formatOption(path),
        message: `${until} is over, and so is this opt-out: what it names is restarted again`,
      },
    ];
  });
