import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { BackupManifest, readThrough } from '../../../src/store/backup/manifest.ts';
import {
  finishRestore,
  movesOf,
  prepareRestore,
  restoreBackup,
} from '../../../src/store/backup/restore-backup.ts';
import type { Restored } from '../../../src/store/backup/restore-backup.ts';
import { refuseUnderWay } from '../../../src/store/backup/under-way.ts';
import { verifyBackup } from '../../../src/store/backup/verify-backup.ts';
import { writeBackup } from '../../../src/store/backup/write-backup.ts';
import { lockFile, openSqlite } from '../../../src/store/open-sqlite.ts';
import { openStore } from '../../../src/store/open-store.ts';
import { readRestoredMark } from '../../../src/store/restored-mark.ts';
import { contentsOf, jobsIn, makeServerDirectory } from './server-directory.ts';

let root: string;
let server: string;
let backup: string;
const madeAt = new Date('2026-11-29T10:00:00Z');
const now = new Date('2026-11-30T07:08:09Z');

/** A server that went on after its backup: other jobs, other sealed records. Made once, and copied for each test. */
let made: string;
beforeAll(async () => {
  made = await mkdtemp(join(tmpdir(), 'gs-restore-'));
  const [before, since] = [join(made, 'before'), join(made, 'data', 'server')];
  await makeServerDirectory(before, ['h1_before'], ['000001.jsonl.gz']);
  const options = { directory: join(made, 'b1'), program: '0.1.0', now: madeAt };
  await writeBackup({ serverDirectory: before, ...options });
  await rm(before, { recursive: true });
  await makeServerDirectory(since, ['h1_since'], ['000001.jsonl.gz', '000002.jsonl.gz']);
  // As a server leaves it that was killed: what was written last is in its log alone.
  const db = openSqlite(join(since, 'store.sqlite'));
  db.exec(
    "INSERT INTO outbox SELECT 'h1_last', host_id, kind, envelope, 1, 2, NULL, NULL FROM outbox",
  );
  await cp(since, join(made, 'killed'), { recursive: true });
  db.close();
  await rm(since, { recursive: true });
  await rename(join(made, 'killed'), since);
});
afterAll(() => rm(made, { recursive: true }));

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'gs-restore-'));
  server = join(root, 'data', 'server');
  backup = join(root, 'b1');
  await cp(made, root, { recursive: true });
});
afterEach(() => rm(root, { recursive: true }));

const restore = (directory = backup, at = now): Promise<Restored> =>
  restoreBackup({ serverDirectory: server, directory, actor: 'ann@srv', now: at });

const markOf = async (path: string): Promise<unknown> => {
  const store = await openStore(path);
  try {
    return await readRestoredMark(store.db);
  } finally {
    await store.close();
  }
};

const isRestored = async (): Promise<void> => {
  expect(jobsIn(join(server, 'store.sqlite'))).toEqual(['h1_before']);
  const keys = (path: string): Promise<string> => readFile(join(path, 'keys.json'), 'utf8');
  expect(await keys(server)).toBe(await keys(backup));
  expect(await readdir(join(server, 'audit'))).toEqual(['000001.jsonl.gz']);
  const names = await readdir(server);
  expect(names.filter((name) => name.startsWith('restoring'))).toEqual([]);
};

/** What was there before is all there, under other names. */
const isKept = async (suffix = '.before-restore-20261130T070809Z'): Promise<void> => {
  expect(jobsIn(join(server, `store.sqlite${suffix}`))).toEqual(['h1_last', 'h1_since']);
  expect(await readdir(join(server, `audit${suffix}`))).toEqual([
    '000001.jsonl.gz',
    '000002.jsonl.gz',
  ]);
  expect(JSON.parse(await readFile(join(server, `keys.json${suffix}`), 'utf8'))).toMatchObject({
    version: 1,
  });
};

describe('a restore', () => {
  test('puts the backup in place, keeps what was there, and has the store say so', async () => {
    const restored = await restore();
    expect(restored).toMatchObject({
      ...{ directory: backup, madeAt: madeAt.toISOString(), wentOn: false },
      aside: expect.arrayContaining([
        join(server, 'store.sqlite.before-restore-20261130T070809Z'),
        join(server, 'store.sqlite.before-restore-20261130T070809Z-wal'),
      ]),
    });
    await isRestored();
    await isKept();
    expect(await markOf(join(server, 'store.sqlite'))).toEqual({
      ...{ madeAt: madeAt.getTime(), restoredAt: now.getTime(), actor: 'ann@srv' },
    });
    // The backup is as it was, and can be restored once more.
    await expect(verifyBackup(backup, now)).resolves.toBeDefined();
    expect((await restore()).aside).toContain(
      join(server, 'store.sqlite.before-restore-20261130T070809Z-2'),
    );
    await isRestored();
    await isKept();
  });

  test('makes a server of a machine that has none', async () => {
    await rm(join(root, 'data'), { recursive: true });
    expect((await restore()).aside).toEqual([]);
    await isRestored();
  });

  test('of a store of an older program brings it to the present schema, with the word', async () => {
    const db = openSqlite(join(backup, 'store.sqlite'));
    db.pragma('journal_mode = DELETE');
    for (const table of ['restored', 'recorded_settings']) db.exec(`DROP TABLE ${table}`);
    db.exec('DROP INDEX audit_records_unproven');
    for (const column of ['container', 'service', 'wave_id', 'outcome', 'actor', 'at']) {
      db.exec(`DROP INDEX audit_records_by_${column}`);
      db.exec(`CREATE INDEX audit_records_${column} ON audit_records (${column})`);
    }
    db.exec("DELETE FROM kysely_migration WHERE name > '008-checkpoints'");
    db.close();
    await rewrite((manifest) => ({ ...manifest, schema: '008-checkpoints' }), 'and the files');
    await restore();
    await isRestored();
    expect(await markOf(join(server, 'store.sqlite'))).toMatchObject({ actor: 'ann@srv' });
  });

  test('is refused while a server works there, and changes nothing', async () => {
    const before = await contentsOf(server);
    const held = lockFile(join(server, 'lock'));
    await expect(restore()).rejects.toThrow(
      /a server works in .*data\/server: stop it first \(systemctl stop groundswell-server/,
    );
    held?.release();
    expect(await contentsOf(server)).toEqual(before);
  });

  test('is not begun with a file that was altered after it was verified, and changes nothing', async () => {
    const before = await contentsOf(server);
    const manifest = await verifyBackup(backup, now);
    await writeFile(join(backup, 'audit', '000001.jsonl.gz'), 'altered');
    const options = { serverDirectory: server, directory: backup, actor: 'ann@srv', now };
    await expect(prepareRestore(options, manifest)).rejects.toThrow(
      /was altered while it was read/,
    );
    expect(await contentsOf(server)).toEqual(before);
  });

  test('is not begun with a disk that is full, and changes nothing', async () => {
    const before = await contentsOf(server);
    // Something else of that name is as good as no room: the copy cannot be made.
    await rm(join(backup, 'audit', '000001.jsonl.gz'));
    await mkdir(join(backup, 'audit', '000001.jsonl.gz'));
    await expect(restore()).rejects.toThrow(/is no plain file/);
    expect(await contentsOf(server)).toEqual(before);
  });
});

/** Change the manifest; on wish it tells the truth about files that were changed. */
const rewrite = async (
  change: (manifest: BackupManifest) => unknown,
  and: 'alone' | 'and the files' = 'alone',
): Promise<void> => {
  const path = join(backup, 'manifest.json');
  const manifest = BackupManifest.parse(JSON.parse(await readFile(path, 'utf8')));
  if (and === 'and the files')
    for (const file of manifest.files)
      Object.assign(file, await readThrough(join(backup, file.path)));
  await writeFile(path, JSON.stringify(change(manifest)));
};

const spoilStore = async (change: (db: ReturnType<typeof openSqlite>) => void): Promise<void> => {
  const db = openSqlite(join(backup, 'store.sqlite'));
  db.pragma('journal_mode = DELETE');
  change(db);
  db.close();
  await rewrite((manifest) => manifest, 'and the files');
};

const wrong: [string, () => Promise<unknown>, RegExp][] = [
  ['no directory', () => rm(backup, { recursive: true }), /there is no directory .*b1/],
  [
    'a file in its place',
    async () => {
      await rm(backup, { recursive: true });
      await writeFile(backup, '');
    },
    /b1 is no directory/,
  ],
  [
    'no manifest: it was broken off',
    () => rm(join(backup, 'manifest.json')),
    /b1 has no manifest.json: it is no backup, or one that was broken off; use another/,
  ],
  [
    'an empty manifest',
    () => writeFile(join(backup, 'manifest.json'), ''),
    /manifest.json is damaged or was altered \(.*\): use another backup/,
  ],
  [
    'a manifest that is cut off',
    async () => {
      const path = join(backup, 'manifest.json');
      await writeFile(path, (await readFile(path)).subarray(0, 150));
    },
    /manifest.json is damaged or was altered/,
  ],
  ['a manifest that is no object', () => rewrite(() => [1]), /manifest.json is damaged/],
  [
    'a key that nobody knows',
    () => rewrite((m) => ({ ...m, note: 1 })),
    /manifest.json is damaged/,
  ],
  [
    'no store in the manifest',
    () => rewrite((m) => ({ ...m, files: m.files.filter(({ path }) => path !== 'store.sqlite') })),
    /want store.sqlite and keys.json among the files/,
  ],
  [
    'a file that the manifest names twice',
    () => rewrite((m) => ({ ...m, files: [...m.files, ...m.files] })),
    /a file stands there twice/,
  ],
  ...['../../etc/shadow', '/etc/shadow', 'audit/../keys.json', 'audit/x', 'lock'].map(
    (path): (typeof wrong)[number] => [
      `a path that leads elsewhere: ${path}`,
      () =>
        rewrite((m) => ({ ...m, files: [...m.files, { path, bytes: 0, sha256: '0'.repeat(64) }] })),
      /files.3.path: is no file of a backup/,
    ],
  ),
  [
    'a manifest of a newer program',
    () => rewrite((m) => ({ ...m, format: 2, program: '9.0.0', what: 'is new' })),
    /b1 was made by a newer program, 9.0.0: install that version of Groundswell or a later one/,
  ],
  [
    'a store of a newer program',
    () => rewrite((m) => ({ ...m, schema: '042-newer' })),
    /newer program, 0.1.0: install .* \(its store has the schema 042-newer\)/,
  ],
  [
    'a store of a newer program than its manifest says',
    () =>
      spoilStore((db) =>
        db.exec("INSERT INTO kysely_migration (name, timestamp) VALUES ('042-newer', 'x')"),
      ),
    /made by a newer program \(schema 042-newer\): install that version/,
  ],
  ['no store', () => rm(join(backup, 'store.sqlite')), /b1\/store.sqlite is missing\n/],
  ['no keys', () => rm(join(backup, 'keys.json')), /b1\/keys.json is missing\n/],
  [
    'sealed records and keys missing',
    async () => {
      await rm(join(backup, 'audit'), { recursive: true });
      await rm(join(backup, 'keys.json'));
    },
    /keys.json is missing\n.*000001.jsonl.gz is missing\nUse another backup, or another copy/,
  ],
  [
    'a store with one bit altered',
    async () => {
      const path = join(backup, 'store.sqlite');
      const bytes = await readFile(path);
      bytes[20_000] = (bytes[20_000] ?? 0) ^ 1;
      await writeFile(path, bytes);
    },
    /store.sqlite was altered: its SHA-256 is not that of the manifest.json/,
  ],
  [
    'keys that are cut off',
    () => writeFile(join(backup, 'keys.json'), '{'),
    /keys.json was altered: it has 1 bytes, and had \d+/,
  ],
  [
    'a link in place of a file',
    async () => {
      await rename(join(backup, 'keys.json'), join(root, 'keys.json'));
      await symlink(join(root, 'keys.json'), join(backup, 'keys.json'));
    },
    /keys.json is no plain file/,
  ],
  [
    'a file that is not of it',
    () => writeFile(join(backup, 'audit', '000009.jsonl.gz'), ''),
    /audit\/000009.jsonl.gz is not of this backup: if you know it, move it away/,
  ],
  [
    "a log of SQLite's beside the store",
    () => writeFile(join(backup, 'store.sqlite-wal'), ''),
    /store.sqlite-wal is not of this backup/,
  ],
  [
    'a directory that is not of it',
    () => mkdir(join(backup, 'feeds')),
    /b1\/feeds is not of this backup/,
  ],
  [
    'a store that is damaged, and that the manifest knows so',
    async () => {
      const path = join(backup, 'store.sqlite');
      await writeFile(path, (await readFile(path)).fill(7, 8_192, 60_000));
      await rewrite((manifest) => manifest, 'and the files');
    },
    /b1 was not restored, and nothing was changed: the store .*b1\/store.sqlite is damaged/,
  ],
  [
    'a store that is none',
    async () => {
      await writeFile(join(backup, 'store.sqlite'), 'Dear diary, '.repeat(100));
      await rewrite((manifest) => manifest, 'and the files');
    },
    /nothing was changed: the store .*b1\/store.sqlite is damaged: .*not a database/,
  ],
  [
    'a store of something else',
    () =>
      spoilStore((db) => {
        db.exec('DROP TABLE lease');
      }),
    /nothing was changed: the store .*b1\/store.sqlite is damaged: no such table: lease/,
  ],
  [
    'a clock that is behind',
    () => rewrite((m) => ({ ...m, madeAt: '2027-01-01T00:00:00.000Z' })),
    /clock of this machine says 2026-11-30.*made at 2027-01-01.*: set the clock first/,
  ],
];

describe('a restore is refused, in a sentence that says where and what to do, and changes nothing, of a backup with', () => {
  test.each(wrong)('%s', async (_, spoil, text) => {
    await spoil();
    const before = await contentsOf(root);
    await expect(restore()).rejects.toThrow(text);
    expect(await contentsOf(root)).toEqual(before);
    const names = (await readdir(server)).filter((name) => !/^lock|-(wal|shm)$/.test(name));
    expect(names.sort()).toEqual(['audit', 'keys.json', 'store.sqlite']);
  });
});

describe('a restore that is broken off', () => {
  const options = () => ({ serverDirectory: server, directory: backup, actor: 'ann@srv', now });

  test('before anything was moved leaves what was there, and the next one begins anew', async () => {
    const before = await contentsOf(server);
    await mkdir(join(server, 'restoring', 'audit'), { recursive: true });
    await cp(join(backup, 'keys.json'), join(server, 'restoring', 'keys.json'));
    await expect(refuseUnderWay(server)).resolves.toBeUndefined();
    expect(await contentsOf(server)).toEqual({
      ...before,
      'restoring/keys.json': await readFile(join(backup, 'keys.json'), 'latin1'),
    });
    expect((await restore()).wentOn).toBe(false);
    await isRestored();
    await isKept();
  });

  // Log, store, keys and audit go, store, keys and audit come.
  test.each([0, 1, 2, 3, 4, 5, 6, 7, 8])(
    'after %d moves is named where a server begins, and the next one goes on, without the backup',
    async (done) => {
      const state = await prepareRestore(options(), await verifyBackup(backup, now));
      const { away, here } = movesOf(server, state);
      expect(away.length + here.length).toBeGreaterThanOrEqual(7);
      for (const [from, to] of [...away, ...here].slice(0, done)) await rename(from, to);
      const text = `a restore of ${backup} was broken off in ${server}, which is partly of before and partly of the backup; to go on with it: groundswell restore ${backup}`;
      await expect(refuseUnderWay(server)).rejects.toThrow(text);
      await expect(restore(join(root, 'b2'))).rejects.toThrow(text);
      const other = { serverDirectory: server, directory: join(root, 'b3') };
      await expect(writeBackup({ ...other, program: '0', now })).rejects.toThrow(text);
      await rename(backup, join(root, 'elsewhere'));
      expect(await restore(backup, new Date('2026-12-24T00:00:00Z'))).toMatchObject({
        ...{ wentOn: true, madeAt: madeAt.toISOString() },
      });
      await rename(join(root, 'elsewhere'), backup);
      await isRestored();
      await isKept();
    },
  );

  test('and whose place somebody has filled meanwhile overwrites nothing', async () => {
    const state = await prepareRestore(options(), await verifyBackup(backup, now));
    for (const [from, to] of movesOf(server, state).away) await rename(from, to);
    await writeFile(join(server, 'keys.json'), 'made meanwhile');
    await finishRestore(server, state);
    await isRestored();
    await isKept();
    const later = join(server, `keys.json${state.suffix}.later`);
    expect(await readFile(later, 'utf8')).toBe('made meanwhile');
  });

  test('whose note cannot be read says where to look', async () => {
    await writeFile(join(server, 'restoring.json'), '{');
    await expect(restore()).rejects.toThrow(/restoring.json says that a restore was broken off/);
    await expect(refuseUnderWay(server)).rejects.toThrow(/restoring.json says/);
  });

  test('by kill -9 at any moment leaves the one, or the other, or what the next one ends', async () => {
    const child = join(import.meta.dirname, 'restore.child.ts');
    const before = await contentsOf(server);
    const seen = new Set<string>();
    for (let n = 0; n < 12; n += 1) {
      await rm(server, { recursive: true });
      await cp(join(made, 'data', 'server'), server, { recursive: true });
      const running = execa(process.execPath, ['--import', 'tsx', child, server, backup], {
        reject: false,
      });
      await new Promise((resolve) => running.stdout.once('data', resolve));
      await sleep(n * 12);
      running.kill('SIGKILL');
      await running;
      const isUnderWay = await refuseUnderWay(server).then(
        () => false,
        () => true,
      );
      const jobs = isUnderWay ? 'under way' : jobsIn(join(server, 'store.sqlite')).join();
      seen.add(jobs);
      expect(['under way', 'h1_last,h1_since', 'h1_before']).toContain(jobs);
      if (jobs === 'h1_last,h1_since')
        expect(Object.keys(await contentsOf(server))).toEqual(
          expect.arrayContaining(Object.keys(before)),
        );
      await restore(backup, new Date());
      await isRestored();
    }
    // It was killed in time at least once.
    expect(seen).toContain('h1_last,h1_since');
  }, 120_000);
});
