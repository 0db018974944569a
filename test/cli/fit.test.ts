import { describe, expect } from '@jest/globals';
import { fc, test } from '@fast-check/jest';
import { fitRows, wrapIndented, wrapText } from '../../src/cli/fit.ts';
import { formatTable } from '../../src/cli/print.ts';

describe('wrapText', () => {
  test('breaks at blanks, and keeps a path whole where it fits', () => {
    expect(wrapText('nginx maps /usr/lib/libssl.so.3 from before', 22)).toEqual([
      'nginx maps',
      '/usr/lib/libssl.so.3',
      'from before',
    ]);
  });
  test('breaks a longer path after a slash', () => {
    expect(wrapText('/usr/lib/x86_64-linux-gnu/libssl.so.3', 20)).toEqual([
      '/usr/lib/',
      'x86_64-linux-gnu/',
      'libssl.so.3',
    ]);
  });
  test('colours take no room', () => {
    expect(wrapText('\u001b[31mstale\u001b[39m since yesterday', 11)).toEqual([
      '\u001b[31mstale\u001b[39m since',
      'yesterday',
    ]);
  });
  test.prop([fc.string(), fc.integer({ min: 1, max: 30 })])(
    'loses nothing but blanks',
    (text, width) => {
      const squeezed = (s: string): string => s.replaceAll(' ', '');
      expect(squeezed(wrapText(text, width).join(''))).toBe(squeezed(text));
    },
  );
  test.prop([
    fc.array(fc.constantFrom('a', 'bcd', '/usr', '/lib/', 'x')),
    fc.integer({ min: 5, max: 30 }),
  ])('no line is too long where every word has a place to break', (words, width) => {
    for (const line of wrapText(words.join(' '), width))
      expect(line.length).toBeLessThanOrEqual(width);
  });
  test('hanging lines are indented', () => {
    expect(wrapIndented('one two three four five six', 24, '- ')).toBe(
      '- one two three four\n    five six',
    );
  });
});

describe('fitRows', () => {
  const headings = ['name', 'why'];
  const why = 'process 812 nginx maps /usr/lib/libssl.so.3 from before the upgrade';
  test('leaves a table that fits as it is', () => {
    expect(fitRows(headings, [['web-01', why]], 80)).toEqual([['web-01', why]]);
  });
  test.each([40, 60, 79])('%i columns are kept', (width) => {
    const text = formatTable(headings, [['web-01', why]], width);
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(width);
    expect(text.replace(/\s+/g, ' ')).toBe(`NAME WHY web-01 ${why}`);
  });
  test.each([30, 35])(
    '%i columns are kept where one needs more than its share for a single word',
    (width) => {
      const rows = [
        [
          'gs-demo 1.0-1+deb12u1',
          'unavailable: h1/web-07 (being restarted), h1/web-08 (being restarted)',
        ],
      ];
      const text = formatTable(['cause', 'waits for'], rows, width);
      expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(width);
    },
  );
  test('an id is never broken: the table is wider then', () => {
    const id = 'sha256:fc90017ae9da4de8bed13caab1266282';
    expect(formatTable(['wave', 'why'], [[id, 'a b']], 30)).toContain(id);
  });
});
