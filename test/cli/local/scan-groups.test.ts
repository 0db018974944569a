import { describe, expect } from '@jest/globals';
import { fc, test } from '@fast-check/jest';
import { nameRanges } from '../../../src/cli/local/scan-groups.ts';

describe('nameRanges', () => {
  test.each<[string[], string]>([
    [['web-01', 'web-02', 'web-03'], 'web-01..web-03'],
    [['web-01', 'web-02'], 'web-01, web-02'],
    [['web-10', 'web-9', 'web-8'], 'web-8..web-10'],
    [['web-03', 'web-01', 'db'], 'db, web-01, web-03'],
    [['a-09', 'a-10', 'a-11', 'b-12'], 'a-09..a-11, b-12'],
    [['a-9', 'a-010', 'a-011'], 'a-9, a-010, a-011'],
    [[], ''],
  ])('%j', (names, text) => {
    expect(nameRanges(names)).toBe(text);
  });
  test.prop([fc.uniqueArray(fc.integer({ min: 0, max: 30 }), { minLength: 1 })])(
    'says neither more nor fewer than there are',
    (numbers) => {
      const spelled = nameRanges(numbers.map((n) => `c-${n}`)).split(', ');
      const said = spelled.flatMap((range) => {
        const [first = '', last = first] = range.split('..');
        const [from, to] = [first, last].map((name) => Number(name.slice(2)));
        return Array.from({ length: (to ?? 0) - (from ?? 0) + 1 }, (_, n) => (from ?? 0) + n);
      });
      expect(said).toEqual([...numbers].sort((a, b) => a - b));
    },
  );
});
