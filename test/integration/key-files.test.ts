import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  addKey,
  loadOrMakeKeys,
  readTrustedKeys,
  switchKey,
  writeTrustedKeys,
} from '../../src/jobs/key-files.ts';

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gs-keys-'));
  path = join(directory, 'keys', 'signing.json');
});
afterEach(() => rm(directory, { recursive: true }));

test('keys are made on first start, for their owner only, and stay', async () => {
  const made = await loadOrMakeKeys(path, 'm1');
  expect(made).toMatchObject({ made: true, other: null });
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await stat(join(directory, 'keys'))).mode & 0o777).toBe(0o700);
  const found = await loadOrMakeKeys(path, 'm1');
  expect(found.made).toBe(false);
  expect(found.active.id).toBe(made.active.id);
});

test('of many that start at once one makes them for all, and nothing is left beside', async () => {
  const all = await Promise.all(Array.from({ length: 20 }, () => loadOrMakeKeys(path, null)));
  expect(new Set(all.map(({ active }) => active.id)).size).toBe(1);
  expect(all.filter(({ made }) => made)).toHaveLength(1);
  expect(await readdir(join(directory, 'keys'))).toEqual(['signing.json']);
});

test('are refused on another machine, when others may read them, and when they are none', async () => {
  await loadOrMakeKeys(path, 'm1');
  await expect(loadOrMakeKeys(path, 'm2')).rejects.toThrow('enrol this host anew');
  await chmod(path, 0o640);
  await expect(loadOrMakeKeys(path, 'm1')).rejects.toThrow('chmod 600');
  await writeFile(path, '{}');
  await chmod(path, 0o600);
  await expect(loadOrMakeKeys(path, 'm1')).rejects.toThrow('no key file');
});

test('are rotated in two steps, with two valid keys between', async () => {
  const first = await loadOrMakeKeys(path, null);
  await expect(switchKey(path)).rejects.toThrow('one key only');
  const both = await addKey(path);
  expect(both.active.id).toBe(first.active.id);
  const switched = await switchKey(path);
  expect(switched.active.id).toBe(both.other?.id);
  expect(switched.other?.id).toBe(first.active.id);
  const third = await addKey(path);
  expect(third.active.id).toBe(switched.active.id);
  expect(third.other?.id).not.toBe(first.active.id);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test('trusted keys are one or two', async () => {
  const trusted = join(directory, 'server-keys.json');
  await expect(readTrustedKeys(trusted)).rejects.toThrow('groundswell agent --trust');
  await writeTrustedKeys(trusted, ['a']);
  await writeTrustedKeys(trusted, ['a', 'b']);
  expect(await readTrustedKeys(trusted)).toEqual(['a', 'b']);
  await expect(writeTrustedKeys(trusted, ['a', 'b', 'c'])).rejects.toThrow();
});
