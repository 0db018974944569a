import { expect, test } from '@jest/globals';
import { restReader } from '../../../src/host/packages/at-rest.ts';
import type { LockAsker } from '../../../src/host/packages/lock-asker.ts';

const locks: LockAsker = { ask: () => Promise.resolve(null), rest: () => undefined };

/** A database that somebody writes `writes` times while it is read. */
const reader = (writes: number): ReturnType<typeof restReader> => {
  let written = 0;
  return restReader(
    {
      signature: () => String(written),
      unsettled: () => {
        if (written < writes) written += 1;
        return Promise.resolve(null);
      },
      lockPaths: () => [],
      otherHolders: () => [],
    },
    locks,
  );
};

test('a database that nobody writes is at rest', async () => {
  expect(await reader(0)('/')).toEqual({ atRest: true });
});

test('what is written while it is looked at is not at rest, and is looked at again (I7)', async () => {
  const read = reader(2);
  const changed = { atRest: false, reason: 'the package database was just changed' };
  expect([await read('/'), await read('/'), await read('/')]).toEqual([
    changed,
    changed,
    { atRest: true },
  ]);
});
