import { followChanges } from '../api/client.ts';

/** The next change that the server tells of, or the end of `limitMs`, whichever comes first. Rejects where the server has gone. */
export const nextChange = (socketPath: string, limitMs: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      stop();
      resolve();
    }, limitMs);
    const stop = followChanges(
      socketPath,
      () => {
        clearTimeout(timer);
        stop();
        resolve();
      },
      (error) => {
        if (error === null) return;
        clearTimeout(timer);
        reject(error);
      },
    );
  });
