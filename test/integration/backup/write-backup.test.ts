import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { openStore } from '../../../src/store/open-store.ts';
import { readRestoredMark } from '../../../src/store/restored-mark.ts';
import { verifyBackup } from '../../../src/store/backup/verify-backup.ts';
import { writeBackup } from '../../../src/store/backup/write-backup.ts';
import type { MadeBackup } from '../../../src/store/backup/write-backup.ts';
import { contentsOf, jobsIn, makeServerDirectory } from './server-directory.ts';
import { knownMigrations } from '../../../src/store/migrate.ts';

let root: string;
let server: string;
const now = new Date('2026-11-29T10:00:00Z');

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'gs-backup-'));
  server = join(root, 'data', 'server');
});
afterEach(() => rm(root, { recursive: true }));

const backUp = (name = 'b1'): Promise<MadeBackup> =>
  writeBackup({
    ...{ serverDirectory: server, directory: join(root, name), program: '0.1.0', now },
  });

describe('a backup', () => {
  test('holds store, keys and sealed records, for its owner alone, and says what they are', async () => {
    await makeServerDirectory(server, ['h1_1'], ['000001.jsonl.gz', '000002.jsonl.gz']);
    // Of a time that a restore has made forgotten; sealed and not recorded; broken off.
    for (const name of [
      '000001.jsonl.gz.1764410000000',
      '000003.jsonl.gz',
      '000004.jsonl.gz.partial',
    ])
      await writeFile(join(server, 'audit', name), name);
    await mkdir(join(server, 'feeds'));
    await writeFile(join(server, 'feeds', 'osv.json'), 'fetched again');
    const { manifest, missing } = await backUp();
    expect(missing).toEqual([]);
    expect(manifest).toMatchObject({
      ...{ format: 1, program: '0.1.0', schema: knownMigrations.at(-1), madeAt: now.toISOString() },
      ...{ generation: 1, epoch: 0 },
    });
    const names = Object.keys(await contentsOf(join(root, 'b1'))).sort();
    expect(names).toEqual([
      'audit/000001.jsonl.gz',
      'audit/000001.jsonl.gz.1764410000000',
      'audit/000002.jsonl.gz',
      'keys.json',
      'manifest.json',
      'store.sqlite',
    ]);
    expect(await verifyBackup(join(root, 'b1'), now)).toEqual(manifest);
    const modes = await Promise.all(
      ['', 'audit', ...names].map(
        async (name) => (await stat(join(root, 'b1', name))).mode & 0o777,
      ),
    );
    expect(modes.map((mode) => mode.toString(8))).toEqual([
      ...['700', '700'],
      ...names.map(() => '600'),
    ]);
  });

  test('says of itself that it is one, so that a copy by hand is known as well', async () => {
    await makeServerDirectory(server, []);
    await backUp();
    const copy = await openStore(join(root, 'b1', 'store.sqlite'));
    expect(await readRestoredMark(copy.db)).toEqual({
      ...{ madeAt: now.getTime(), restoredAt: null, actor: 'somebody' },
    });
    await copy.close();
    const own = await openStore(join(server, 'store.sqlite'));
    expect(await readRestoredMark(own.db)).toBeNull();
    await own.close();
  });

  test('is of one moment each, while another process writes', async () => {
    await makeServerDirectory(server, []);
    const child = join(import.meta.dirname, '..', 'write-outbox.child.ts');
    const writing = execa(process.execPath, [
      ...['--import', 'tsx', child, join(server, 'store.sqlite'), 'n', '300'],
    ]);
    const counts: number[] = [];
    const over = new AbortController();
    const ended = writing.then(() => {
      over.abort();
    });
    for (let n = 0; !over.signal.aborted; n += 1) {
      await backUp(`b${n}`);
      const jobs = jobsIn(join(root, `b${n}`, 'store.sqlite'));
      // Each transaction before the moment, and none after it.
      expect(jobs.sort()).toEqual(Array.from({ length: jobs.length }, (_, i) => `h1_n${i}`).sort());
      counts.push(jobs.length);
    }
    await ended;
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    expect(counts.filter((count) => count > 0 && count < 300).length).toBeGreaterThan(0);
    expect(jobsIn(join(server, 'store.sqlite'))).toHaveLength(300);
  }, 120_000);

  test('names sealed records that somebody has moved away, and is made without them', async () => {
    await makeServerDirectory(server, [], ['000001.jsonl.gz', '000002.jsonl.gz']);
    await rm(join(server, 'audit', '000001.jsonl.gz'));
    expect((await backUp()).missing).toEqual(['000001.jsonl.gz']);
    await expect(verifyBackup(join(root, 'b1'), now)).resolves.toBeDefined();
  });

  test('may be made in a directory that is there and empty', async () => {
    await makeServerDirectory(server, []);
    await mkdir(join(root, 'b1'), { mode: 0o755 });
    await backUp();
    expect(((await stat(join(root, 'b1'))).mode & 0o777).toString(8)).toBe('700');
  });
});

describe('a backup is refused', () => {
  test.each([
    ['a file of others', 'notes.txt', /b1 is not empty: name another directory/],
    ['a backup', 'manifest.json', /b1 is not empty: name another directory/],
    ['one that was broken off', 'store.sqlite', /broken off .*remove it, or name another/],
  ])('where the directory holds %s', async (_, name, text) => {
    await makeServerDirectory(server, []);
    await mkdir(join(root, 'b1'));
    await writeFile(join(root, 'b1', name), '');
    await expect(backUp()).rejects.toThrow(text);
    expect(await readdir(join(root, 'b1'))).toEqual([name]);
  });

  test('where no server has begun, and makes none', async () => {
    await expect(backUp()).rejects.toThrow(/no .*server\/store.sqlite: no server has begun here/);
    expect(await readdir(root)).toEqual([]);
  });

  test('in the midst of what is backed up', async () => {
    await makeServerDirectory(server, []);
    await expect(backUp('data/server')).rejects.toThrow('name a directory elsewhere');
    await expect(backUp('data/server/b1')).rejects.toThrow('name a directory elsewhere');
    await expect(backUp('data/server-backups')).resolves.toBeDefined();
  });

  test.each([
    ['damaged in the middle', (bytes: Buffer) => bytes.fill(7, 8_192, 40_000)],
    ['no store', () => Buffer.from('This is no database, and long enough to be none.')],
    ['cut off', (bytes: Buffer) => bytes.subarray(0, 12_288)],
  ])('of a store that is %s, and leaves nothing', async (_, spoil) => {
    await makeServerDirectory(server, ['h1_1', 'h1_2']);
    const path = join(server, 'store.sqlite');
    await writeFile(path, spoil(await readFile(path)));
    await expect(backUp()).rejects.toThrow(/the store .*data\/server\/store.sqlite/);
    expect(await readdir(root)).toEqual(['data']);
  });

  test('where a part of it cannot be read, and leaves nothing', async () => {
    await makeServerDirectory(server, [], ['000001.jsonl.gz']);
    await rm(join(server, 'audit', '000001.jsonl.gz'));
    await mkdir(join(server, 'audit', '000001.jsonl.gz'));
    await mkdir(join(root, 'b1'));
    await expect(backUp()).rejects.toThrow(/EISDIR/);
    expect(await readdir(join(root, 'b1'))).toEqual([]);
  });
});
