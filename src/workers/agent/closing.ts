/** What was started, to be ended in the opposite order. */
export interface Closing {
  add: (close: () => unknown) => void;
  /** Each is waited for; a second call does nothing. */
  run: () => Promise<void>;
}

export const createClosing = (): Closing => {
  const steps: (() => unknown)[] = [];
  return {
    add: (close) => {
      steps.push(close);
    },
    run: async () => {
      for (let step = steps.pop(); step !== undefined; step = steps.pop()) await step();
    },
  };
};
