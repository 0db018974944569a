/** `promise`, or a rejection after `limitMs`: a call to Redis hangs while it is away, whatever its options. */
export const within = <T>(promise: Promise<T>, limitMs: number, what: string): Promise<T> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`${what} did not answer within ${limitMs} ms`));
    }, limitMs);
    promise.then(resolve, reject).finally(() => {
      clearTimeout(timer);
    });
  });
