import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { makeRoom } from '../../src/store/make-room.ts';
import { openSqlite } from '../../src/store/open-sqlite.ts';
import type { SqliteHandle } from '../../src/store/open-sqlite.ts';
import { needsRoot } from './needs-root.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gs-room-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

const open = (path: string): SqliteHandle => {
  const db = openSqlite(path);
  makeRoom(db, path);
  return db;
};

const megabyte = 1024 * 1024;

describe('the room for what is written to a database', () => {
  test('is as much as is ever used, and is there from the beginning, also the next time', () => {
    const path = join(directory, 'store.sqlite');
    for (const life of [1, 2]) {
      const db = open(path);
      const size = (): number => statSync(`${path}-wal`).size;
      const atFirst = size();
      expect(atFirst).toBeGreaterThan(4 * megabyte);
      db.exec('create table if not exists t (body text)');
      const put = db.prepare('insert into t values (?)');
      // Four times what the log holds.
      for (let n = 0; n < 2_000; n++) put.run('x'.repeat(8_000));
      expect(size()).toBe(atFirst);
      expect(db.prepare('select count(*) as n from t').all()).toEqual([{ n: 2_000 * life }]);
      db.close();
    }
  });
});

needsRoot(describe)('on a small disk', () => {
  const disk = (): string => join(directory, 'disk');
  beforeEach(() => {
    mkdirSync(disk());
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'gs-room', disk()]);
  });
  afterEach(() => {
    execFileSync('umount', ['-l', disk()]);
  });

  test('nothing is taken for it', () => {
    const path = join(disk(), 'store.sqlite');
    const db = open(path);
    db.exec('create table t (body text)');
    expect(statSync(`${path}-wal`).size).toBeLessThan(megabyte);
    db.close();
  });
});
