import process from 'node:process';

/** Signals that end the process in order: what is under way is finished first. */
const stopSignals = ['SIGINT', 'SIGTERM'] as const;

/** Aborts at the first SIGINT or SIGTERM; further ones are ignored while everything is closed. */
export const stopSignal = (): AbortSignal => {
  const controller = new AbortController();
  for (const name of stopSignals)
    process.on(name, () => {
      controller.abort();
    });
  return controller.signal;
};

export const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => {
      resolve();
    });
  });

/** Run each in turn, whatever the others do; the first error is thrown at the end. */
export const closeInOrder = async (closers: readonly (() => Promise<void>)[]): Promise<void> => {
  const errors: unknown[] = [];
  for (const close of closers)
    await close().catch((error: unknown) => {
      errors.push(error);
    });
  if (errors.length > 0) throw errors[0];
};
