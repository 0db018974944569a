import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parkedDirectory } from '../../../../src/host/lxc/provision/parked.ts';

const note = { name: 'web-01', reason: 'disk replaced', by: 'root@h1', atMs: 1_795_532_926_000 };

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gs-parked-'));
});

afterEach(() => rm(directory, { recursive: true }));

describe('notes on parked containers', () => {
  test('are kept until they are removed', async () => {
    const store = parkedDirectory(join(directory, 'parked'));
    expect(await store.list()).toEqual([]);
    await store.put(note);
    await store.put({ ...note, reason: 'again' });
    expect(await store.list()).toEqual([{ ...note, reason: 'again' }]);
    await store.remove('web-01');
    await store.remove('web-01');
    expect(await store.list()).toEqual([]);
  });

  test('are root’s alone, one file each', async () => {
    const parked = join(directory, 'parked');
    await parkedDirectory(parked).put(note);
    expect(await readdir(parked)).toEqual(['web-01']);
    expect((await stat(join(parked, 'web-01'))).mode & 0o777).toBe(0o600);
    expect((await stat(parked)).mode & 0o777).toBe(0o700);
  });

  test('that cannot be read are named', async () => {
    await writeFile(join(directory, 'web-02'), '{"name":"web-02"}');
    await expect(parkedDirectory(directory).list()).rejects.toThrow(`${directory}/web-02`);
  });
});
