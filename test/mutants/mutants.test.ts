import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { mutants } from './all.ts';
import { brokenText } from './broken-text.ts';

const read = (file: string): string => readFileSync(join(process.cwd(), file), 'utf8');

/** Of a table test the name is made of several; what stands in the file is at least a part of it. */
const named = mutants.map((mutant) => [mutant.what, mutant] as const);

test('each is another one', () => {
  expect(new Set(named.map(([what]) => what)).size).toBe(mutants.length);
});

test.each(named)('%s: stands in its file once', (_, mutant) => {
  const text = read(mutant.file);
  expect(brokenText(text, mutant, mutant.file)).not.toBe(text);
  expect(existsSync(join(process.cwd(), mutant.killedBy.file))).toBe(true);
});

test('a text that is not there, or twice, is no mutant', () => {
  const one = { from: 'a  b', to: 'c' };
  expect(brokenText('x a\n b y', one, 'f')).toBe('x c y');
  expect(() => brokenText('ab', one, 'f')).toThrow('f holds "a  b" 0 times, not once');
  expect(() => brokenText('a b a b', one, 'f')).toThrow('2 times');
});
