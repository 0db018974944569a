import { expect, test } from '@jest/globals';
import { createRecordGate } from '../../../src/workers/control/record-gate.ts';

test('a job that waited for a record is put in as soon as that is out, and only then (R12)', () => {
  let freed = 0;
  const gate = createRecordGate(() => (freed += 1));
  gate.committing(['h1', 'h2']);
  expect([gate.mayPut('h1'), gate.mayPut('h3')]).toEqual([false, true]);
  gate.published('h2');
  expect([freed, gate.mayPut('h1')]).toEqual([0, false]);
  gate.published('h1');
  expect([freed, gate.mayPut('h1')]).toEqual([1, true]);
  gate.committing(['h1']);
  gate.published('h1');
  expect(freed).toBe(1);
});
