import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

test('the example of docs/how-to/add-a-feed.md is as small as is said there', () => {
  const root = new URL('../../../', import.meta.url);
  const text = (path: string): string => readFileSync(new URL(path, root), 'utf8');
  const linesOf = (feed: string): number =>
    ['source.ts', 'fetch.ts'].reduce(
      (count, half) =>
        count + text(`src/producers/advisories/${feed}/${half}`).trimEnd().split('\n').length,
      0,
    );
  const guide = text('docs/how-to/add-a-feed.md');
  expect(guide).toContain('`rocky-errata`: both halves of it together have less than 150 lines');
  expect(linesOf('rocky-errata')).toBeLessThan(150);
  expect(guide).toContain('`kev` has less than half of that');
  expect(linesOf('kev')).toBeLessThan(75);
});
