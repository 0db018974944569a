import { expect, test } from '@jest/globals';
import { objection } from '../../../src/producers/advisories/fetch/objection.ts';

test('what a mirror dates earlier than what is here is not taken, though its records say nothing', () => {
  const known = { etag: null, records: 30, newest: null };
  const at = (hour: string) => ({ ...known, lastModified: `Sun, 29 Nov 2026 ${hour}:00:00 GMT` });
  const now = new Date('2026-11-30T00:00:00Z');
  expect(objection(at('09'), at('10'), now)?.reason).toMatch(/^the mirror offers an older state/);
  expect(objection(at('10'), at('10'), now)).toBeNull();
  expect(objection(at('11'), at('10'), now)).toBeNull();
});
