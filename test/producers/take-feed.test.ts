import { expect, test } from '@jest/globals';
import { advisoryHash } from '../../src/producers/take-feed.ts';
import { advisory, row } from '../core/advisories/rows.ts';

const denial = (more: object = {}) =>
  advisoryHash(advisory([row({ status: 'not-affected', fixed: null, ...more })]));

test('what is said again at another time is no news', () => {
  expect(denial({ asOf: '3.0.15-1~deb12u1' })).toBe(denial());
  expect(denial({ note: 'unimportant' })).not.toBe(denial());
  const said = advisory([row({})]);
  const again = { ...said, modified: '2026-02-01T00:00:00Z', published: '2026-01-01T00:00:00Z' };
  expect(advisoryHash(again)).toBe(advisoryHash(said));
  expect(advisoryHash({ ...again, withdrawn: true })).not.toBe(advisoryHash(said));
});
