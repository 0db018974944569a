import { describe, expect, test } from '@jest/globals';
import { formatTable } from '../../src/cli/print.ts';
import { idBeginning, shortIds } from '../../src/cli/short-ids.ts';

const first = 'fc90017a-e9da-4de8-bed1-3caab1266282';
const second = 'fc90017b-0000-4de8-bed1-3caab1266282';
const find = (text: string): string =>
  idBeginning([first, second], text, 'wave', 'groundswell waves');

describe('short ids', () => {
  test('in texts, and nothing else is touched', () => {
    expect(shortIds(`groundswell approve ${first}, libssl3 3.0.17-1~deb12u2`)).toBe(
      'groundswell approve fc90017a, libssl3 3.0.17-1~deb12u2',
    );
  });

  test('in tables on a terminal, whole elsewhere', () => {
    expect(formatTable(['wave', 'state'], [[first, 'ok']], 80)).toBe(
      'WAVE      STATE\nfc90017a  ok',
    );
    expect(formatTable(['wave', 'state'], [[first, 'ok']], Infinity)).toContain(first);
  });

  test.each([first, 'fc90017a', 'fc90017a-e9'])('%s is found', (text) => {
    expect(find(text)).toBe(first);
  });

  test.each<[string, string]>([
    ['fc90017', 'several waves begin with fc90017: '],
    ['0badcafe', 'no wave is called 0badcafe; see: groundswell waves'],
    ['fc9', 'no wave is called fc9'],
    ['', 'no wave is called'],
  ])('%j is refused', (text, message) => {
    expect(() => find(text)).toThrow(message);
  });
});
