import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadOrMakeKeys } from '../../../src/jobs/key-files.ts';
import { saveSegment } from '../../../src/store/audit-segments.ts';
import { openSqlite } from '../../../src/store/open-sqlite.ts';
import { openStore } from '../../../src/store/open-store.ts';
import { insertOutbox } from '../../../src/store/outbox.ts';

/** A server's part of a data directory, as one leaves it that was stopped; `jobs` tell one from another. */
export const makeServerDirectory = async (
  directory: string,
  jobs: readonly string[],
  segments: readonly string[] = [],
): Promise<void> => {
  await mkdir(join(directory, 'audit'), { recursive: true, mode: 0o700 });
  await loadOrMakeKeys(join(directory, 'keys.json'), null);
  const store = await openStore(join(directory, 'store.sqlite'));
  const times = { envelope: '{}', createdAt: 1, expiresAt: 2 };
  await insertOutbox(
    store.db,
    jobs.map((jobId) => ({ jobId, hostId: 'h1', kind: 'observe-host', ...times })),
  );
  for (const [index, file] of segments.entries()) {
    await saveSegment(
      store.db,
      { number: index + 1, file, position: 0, lastCheckpoint: { number: index + 1, hash: '' } },
      [],
    );
    await writeFile(join(directory, 'audit', file), `sealed ${file}`);
  }
  await store.close();
};

/** Which jobs a store has, read from a copy: to open it is to change what lies beside it, also later. */
export const jobsIn = (path: string): string[] => {
  const directory = mkdtempSync(join(tmpdir(), 'gs-look-'));
  const copy = join(directory, 'store.sqlite');
  copyFileSync(path, copy);
  if (existsSync(`${path}-wal`)) copyFileSync(`${path}-wal`, `${copy}-wal`);
  const db = openSqlite(copy);
  try {
    const rows = db.prepare('SELECT job_id FROM outbox ORDER BY job_id').all();
    return (rows as { job_id: string }[]).map((row) => row.job_id);
  } finally {
    db.close();
    rmSync(directory, { recursive: true });
  }
};

/** Names and contents of what lies in a directory, the lock apart, which says nothing. */
export const contentsOf = async (directory: string): Promise<Record<string, string>> => {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true }).catch(
    () => [],
  );
  const files = entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith('lock'))
    .map((entry) => join(entry.parentPath, entry.name));
  const contents = await Promise.all(files.map((path) => readFile(path, 'latin1')));
  return Object.fromEntries(
    files.map((path, index) => [path.slice(directory.length + 1), contents[index] ?? '']),
  );
};
