import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { openSomeFiles } from '../../../src/producers/advisories/open-feed-files.ts';

let feed = '';
beforeEach(async () => {
  feed = await mkdtemp(join(tmpdir(), 'feed-'));
});
afterEach(async () => {
  await rm(feed, { recursive: true, force: true });
});

const put = async (name: string, content: Uint8Array | string): Promise<void> => {
  await mkdir(dirname(join(feed, name)), { recursive: true });
  await writeFile(join(feed, name), content);
};

const read = async (...names: string[]): Promise<[string, string][]> => {
  const files: [string, string][] = [];
  for await (const file of openSomeFiles(feed, names)) {
    const pieces: Uint8Array[] = [];
    for await (const piece of file.read()) pieces.push(piece);
    files.push([file.name, Buffer.concat(pieces).toString('utf8')]);
  }
  return files;
};

test('some files of a feed have the names that they have in all of it', async () => {
  await put('DSA/list', 'dsa');
  await put('DLA/list', 'dla');
  await put('records/one.json.gz', gzipSync('{}'));
  await put('other', 'x');
  expect(await read('DLA/list', 'gone', 'DSA/list', 'records/one.json.gz')).toEqual([
    ['DLA/list', 'dla'],
    ['DSA/list', 'dsa'],
    ['records/one.json.gz', '{}'],
  ]);
});

test('one of them that is damaged does not keep the others from being read', async () => {
  await put('a.zip', 'no archive');
  await put('b.json', '{}');
  const names: string[] = [];
  await expect(async () => {
    for await (const { name } of openSomeFiles(feed, ['a.zip', 'b.json'])) names.push(name);
  }).rejects.toThrow('a.zip: it is no archive, as its name says');
  expect(names).toEqual(['b.json']);
});
