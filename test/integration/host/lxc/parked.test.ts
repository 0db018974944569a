import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createParkedPort } from '../../../../src/workers/agent/ports/parked-port.ts';
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
    const nothing = { notes: [], problems: [] };
    expect(await store.list()).toEqual(nothing);
    await store.put(note);
    await store.put({ ...note, reason: 'again' });
    expect(await store.list()).toEqual({ ...nothing, notes: [{ ...note, reason: 'again' }] });
    expect([await store.remove('web-01'), await store.remove('web-01')]).toEqual([true, false]);
    expect(await store.list()).toEqual(nothing);
  });

  test('are root’s alone, one file each', async () => {
    const parked = join(directory, 'parked');
    await parkedDirectory(parked).put(note);
    expect(await readdir(parked)).toEqual(['web-01']);
    expect((await stat(join(parked, 'web-01'))).mode & 0o777).toBe(0o600);
    expect((await stat(parked)).mode & 0o777).toBe(0o700);
  });

  test('that are none are named, and park nothing; the others do', async () => {
    const store = parkedDirectory(directory);
    await store.put(note);
    await writeFile(join(directory, 'web-02'), '{"name":"web-02"}');
    await writeFile(join(directory, 'web-01~'), JSON.stringify(note));
    const { notes, problems } = await store.list();
    expect(notes).toEqual([note]);
    expect(problems.sort()).toEqual([
      `${directory}/web-01~ is a note on web-01: remove it`,
      `${directory}/web-02 is no note on a parked container: remove it, and park again`,
    ]);
  });

  test('are forgotten by the agent only as it has seen them', async () => {
    const store = parkedDirectory(directory);
    const problems: string[] = [];
    const port = createParkedPort(store, (text) => problems.push(text));
    await store.put(note);
    const seen = (await port.notes()).get('web-01');
    expect(seen).toEqual(note);
    await store.put({ ...note, atMs: note.atMs + 1 });
    await port.forget(note);
    expect((await store.list()).notes).toHaveLength(1);
    await port.forget({ ...note, atMs: note.atMs + 1 });
    expect((await store.list()).notes).toEqual([]);
    expect(problems).toEqual([]);
  });

  test('are none where their directory cannot be read, and that is told', async () => {
    const path = join(directory, 'file');
    await writeFile(path, '');
    const problems: string[] = [];
    const port = createParkedPort(parkedDirectory(path), (text) => problems.push(text));
    expect(await port.notes()).toEqual(new Map());
    expect(problems).toEqual([expect.stringContaining('ENOTDIR')]);
  });
});
