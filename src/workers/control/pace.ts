import { setImmediate as breathe } from 'node:timers/promises';

/** Reports, control records and the API share this thread: it is left to them this often. */
const heldAtMostMs = 20;

/** To be called between the pieces of something long: lets others at their work where it has gone on for long enough. */
export const createPace = (): (() => Promise<void>) => {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < heldAtMostMs) return;
    await breathe();
    since = performance.now();
  };
};
