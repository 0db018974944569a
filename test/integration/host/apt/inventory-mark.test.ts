import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { aptInventoryMark } from '../../../../src/host/apt/read-inventory.ts';

let root: string;
const put = async (path: string, text: string): Promise<void> => {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
};

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'gs-mark-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

test.each([
  'var/lib/dpkg/status',
  'etc/apt/sources.list',
  'etc/apt/sources.list.d/debian.sources',
  'etc/apt/preferences',
  'etc/apt/preferences.d/pin',
])('the mark of the inventory moves with %s, written in place', async (path) => {
  await put('var/lib/dpkg/status', '');
  await mkdir(join(root, 'var/lib/dpkg/updates'));
  await put(path, 'Enabled: no ');
  await utimes(join(root, path), 1_000, 1_000);
  const before = await aptInventoryMark(root);
  expect(await aptInventoryMark(root)).toBe(before);
  await put(path, 'Enabled: yes');
  expect(await aptInventoryMark(root)).not.toBe(before);
});

test('the mark moves when the lists are fetched, and when a source comes or goes', async () => {
  await put('var/lib/dpkg/status', '');
  const marks = [await aptInventoryMark(root)];
  for (const path of [
    'var/lib/apt/lists/deb.example.org_InRelease',
    'etc/apt/sources.list.d/debian.sources',
  ]) {
    await put(path, '');
    marks.push(await aptInventoryMark(root));
  }
  await rm(join(root, 'etc/apt/sources.list.d/debian.sources'));
  marks.push(await aptInventoryMark(root));
  expect(new Set(marks).size).toBe(marks.length);
});
