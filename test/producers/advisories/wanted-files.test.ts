import { expect, test } from '@jest/globals';
import { wantedFiles } from '../../../src/producers/advisories/wanted-files.ts';
import { fileOf, iterated } from './feed-files.ts';

const wanted = async (...names: string[]): Promise<string[]> => {
  const found: string[] = [];
  const files = iterated(names.map((name) => fileOf(name, '')));
  for await (const { name } of wantedFiles(files, (each) => each.endsWith('.json')))
    found.push(name);
  return found;
};

test.each<[string[], string[]]>([
  [
    ['a.json', 'b.txt', 'c.json.gz', 'd.json.asc'],
    ['a.json', 'c.json.gz'],
  ],
  [['whatever'], ['whatever']],
  [['a.json.xz'], ['a.json.xz']],
  [['a', 'b'], []],
  [[], []],
])('of %j it is %j', async (names, expected) => {
  expect(await wanted(...names)).toEqual(expected);
});
