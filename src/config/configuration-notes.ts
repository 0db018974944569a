import { formatOption } from './problem.ts';
import type { Problem } from './problem.ts';
import { placeOf } from './located.ts';
import type { Located } from './located.ts';
import type { Configuration } from './schema.ts';

/** Opt-outs that are over. */
const endedOptOuts = ({ optOut }: Configuration, located: Located, wallMs: number): Problem[] =>
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

/** Latest starts where nothing waits. */
const idleLatestStarts = (
  { platforms, maintenanceWindow }: Configuration,
  located: Located,
): Problem[] =>
  maintenanceWindow !== undefined
    ? []
    : Object.entries(platforms).flatMap(([id, { policy }]) =>
        policy.flatMap(({ latestHours }, index) => {
          if (latestHours === undefined) return [];
          const path = ['platforms', id, 'policy', index, 'latestHours'];
          return [
            {
              ...placeOf(located, path),
              option: formatOption(path),
              message: 'says nothing without a maintenanceWindow: nothing waits for one',
            },
          ];
        }),
      );

/** What is right, and yet may not be meant: it keeps nothing from starting. */
export const configurationNotes = (
  config: Configuration,
  located: Located,
  wallMs: number,
): Problem[] => [...endedOptOuts(config, located, wallMs), ...idleLatestStarts(config, located)];
