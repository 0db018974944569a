import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { rowsOf } from '../../../../src/producers/advisories/osv/rows-of.ts';

/** By OSV's convention `0` is before every version and `<end-of-life>` after each, whatever dpkg and rpm say of them. */
const sentinels = new URL('../../../fixtures/versions/osv-sentinels.tsv', import.meta.url);
const cases = readFileSync(sentinels, 'utf8')
  .trimEnd()
  .split('\n')
  .slice(1)
  .map((line) => line.split('\t'))
  .map(([a = '', b = '', expected = '', source = '']) => ({
    ecosystem: source.includes('debian_test') ? 'Debian:12' : 'AlmaLinux:9',
    ...(expected === '-1' ? { low: a, high: b } : { low: b, high: a }),
  }));

/** The spans that a range makes, whichever of its events comes first. */
const spans = (ecosystem: string, introduced: string, fixed: string): string[] => {
  const events = [{ introduced }, { fixed }];
  const [some, others] = [events, events.toReversed()].map((ordered) =>
    rowsOf('X-1', {
      package: { ecosystem, name: 'a' },
      ranges: [{ type: 'ECOSYSTEM', events: ordered }],
    }).map((row) => `${row.introduced ?? '0'} to ${row.fixed ?? row.note ?? 'no end'}`),
  );
  expect(others).toEqual(some);
  return some ?? [];
};

const written = (ecosystem: string, version: string): string =>
  (ecosystem.startsWith('Debian') ? version : version.replace(/^0:/, '')).replace(/[<>]/g, '');

test('there are cases', () => {
  expect(cases).toHaveLength(12);
});

test.each(cases)('$ecosystem: $low is before $high', ({ ecosystem, low, high }) => {
  expect(spans(ecosystem, low, high)).toEqual([`${low} to ${written(ecosystem, high)}`]);
  // What is fixed before it begins ends nothing.
  const [after, ...more] = spans(ecosystem, high, low);
  expect(after?.replace(/[<>]/g, '')).toBe(`${written(ecosystem, high)} to no end`);
  expect(more).toEqual([]);
});
