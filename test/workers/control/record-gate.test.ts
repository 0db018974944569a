import { expect, test } from '@jest/globals';
import { createRecordGate } from '../../../src/workers/control/record-gate.ts';

test('a job that waited for a record is put in as soon as that is out, and only then (R12)', () => {
  let freed = 0;
  const gate = createRecordGate(() => (freed += 1));
  gate.committing('h1', [1, 1, 1]);
  gate.committing('h2', [1, 1, 1]);
  expect([gate.mayPut('h1'), gate.mayPut('h3')]).toEqual([false, true]);
  gate.published('h2', [1, 1, 1]);
  expect([freed, gate.mayPut('h1')]).toEqual([0, false]);
  gate.published('h1', [1, 1, 1]);
  expect([freed, gate.mayPut('h1')]).toEqual([1, true]);
  gate.committing('h1', [1, 1, 2]);
  gate.published('h1', [1, 1, 2]);
  expect(freed).toBe(1);
});

test('an earlier record that is out late lets no job pass that a later one precedes (R12)', () => {
  let freed = 0;
  const gate = createRecordGate(() => (freed += 1));
  gate.committing('h1', [1, 1, 1]);
  gate.committing('h1', [1, 1, 2]);
  gate.published('h1', [1, 1, 1]);
  expect([gate.mayPut('h1'), freed, gate.unpublished()]).toEqual([false, 0, ['h1']]);
  gate.published('h1', [1, 1, 2]);
  expect([gate.mayPut('h1'), freed, gate.unpublished()]).toEqual([true, 1, []]);
});
