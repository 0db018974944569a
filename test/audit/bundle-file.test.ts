import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readBundleFile } from '../../src/audit/bundle-file.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gs-bundle-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

const linesOf = async (bytes: Buffer): Promise<string[]> => {
  const path = join(directory, 'trail');
  await writeFile(path, bytes);
  const lines: string[] = [];
  for await (const line of readBundleFile(path)) lines.push(line);
  return lines;
};

/** More than is read at once. */
const long = 'é☃'.repeat(600_000);

describe('lines of a bundle’s file', () => {
  test.each<[string, string, string[]]>([
    ['none', '', []],
    ['empty ones', '\n\na\n', ['', '', 'a']],
    ['one that is not ended', 'a\nb', ['a', 'b']],
    ['one that is longer than what is read at once', `a\n${long}\nb\n`, ['a', long, 'b']],
    ['a mark of the order of bytes, which nobody wrote', '\ufeffa\n', ['\ufeffa']],
    ['a character that stands for one that could not be read', 'a\ufffd\n', ['a\ufffd']],
  ])('%s', async (_, text, lines) => {
    expect(await linesOf(Buffer.from(text))).toEqual(lines);
    expect(await linesOf(gzipSync(text))).toEqual(lines);
  });

  test.each<[string, Buffer[]]>([
    ['a byte that is none of UTF-8', [Buffer.from('a\nb'), Buffer.of(0xff), Buffer.from('\nc\n')]],
    ['half a character', [Buffer.from('a\nb'), Buffer.of(0xe2, 0x98), Buffer.from('\nc\n')]],
    ['half a character at the end', [Buffer.from('a\nb'), Buffer.of(0xe2, 0x98)]],
    [
      'half a surrogate pair',
      [Buffer.from('a\nb'), Buffer.of(0xed, 0xa0, 0xbd), Buffer.from('\n')],
    ],
  ])('%s is not read as another: it is named', async (_, parts) => {
    const bytes = Buffer.concat(parts);
    await expect(linesOf(bytes)).rejects.toThrow('line 2 has bytes that are not UTF-8');
    await expect(linesOf(gzipSync(bytes))).rejects.toThrow('line 2 has bytes that are not UTF-8');
  });
});
