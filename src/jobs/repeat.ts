/** Something that is done over and over, never twice at once. */
export interface Repeated {
  /** Do it again as soon as the present run is over. */
  wake: () => void;
  /** No further run begins; resolves when the present one is over. */
  stop: () => Promise<void>;
}

/**
 * Run `work` now, then `everyMs` after each end, or at once when woken. A failed run is given to `onError`
 * and the next comes as usual.
 */
export const repeat = (
  work: () => Promise<void>,
  { everyMs, onError }: { everyMs: number; onError: (error: unknown) => void },
): Repeated => {
  let stopped = false;
  let woken = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | null = null;
  const run = (): void => {
    clearTimeout(timer);
    woken = false;
    running = work()
      .catch(onError)
      .then(() => {
        running = null;
        if (stopped) return;
        if (woken) run();
        else timer = setTimeout(run, everyMs);
      });
  };
  run();
  return {
    wake: () => {
      if (stopped) return;
      if (running === null) run();
      else woken = true;
    },
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
};
