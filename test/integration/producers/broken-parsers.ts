import fc from 'fast-check';
import type { HostileTarget } from './hostile-target.ts';

const kept: unknown[] = [];

/** What is wrong with each: a test that does not see it tells nothing of others. */
const faults: Record<string, () => Promise<void>> = {
  hangs: () => {
    for (;;);
  },
  'waits for ever': () => new Promise(() => undefined),
  'keeps all': () => {
    kept.push(Buffer.alloc(64 * 1024 * 1024, 1));
    return Promise.resolve();
  },
  throws: () => Promise.reject(new Error('nobody expected this')),
  'fails beside': () =>
    new Promise(() => {
      setImmediate(() => {
        throw new Error('nobody waited for this');
      });
    }),
};

/** Parsers that do something bad with the documents in which there is a `7`. */
export const brokenTargets: readonly HostileTarget[] = Object.entries(faults).map(
  ([of, fault]) => ({
    ...{ of, document: 'a number' },
    prepare: () =>
      Promise.resolve({
        changed: fc.nat(999_999).map(String),
        check: (content) =>
          typeof content === 'string' && content.includes('7') ? fault() : Promise.resolve(),
      }),
  }),
);
