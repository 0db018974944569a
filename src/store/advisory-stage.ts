import Database from 'libsql';
import { rm } from 'node:fs/promises';
import type { Advisory } from '../core/advisories/advisory.ts';
import { combineParts } from '../core/advisories/combine-parts.ts';

/** What one reading of a feed has brought so far: on disk, since a whole feed never stands in memory. */
export interface AdvisoryStage {
  add: (advisory: Advisory) => void;
  /** Different ids. */
  count: () => number;
  has: (id: string) => boolean;
  /** Every advisory once, its parts together, in the order of ids. */
  all: () => Iterable<Advisory>;
  /** Forget everything, the file too. */
  close: () => Promise<void>;
}

const perTransaction = 500;

/** A scratch file for one reading of a feed; what an earlier process left there is taken away. */
export const openAdvisoryStage = async (path: string): Promise<AdvisoryStage> => {
  const remove = async (): Promise<void> => {
    for (const file of [path, `${path}-journal`, `${path}-wal`, `${path}-shm`])
      await rm(file, { force: true });
  };
  await remove();
  const database = new Database(path);
  // Nothing of it is needed after a crash: the feed is read anew.
  database.pragma('journal_mode = OFF');
  database.pragma('synchronous = OFF');
  database.exec('create table parts (id text not null, doc text not null)');
  database.exec('create index parts_id on parts (id)');
  const insert = database.prepare('insert into parts (id, doc) values (?, ?)');
  const find = database.prepare('select 1 from parts where id = ? limit 1');
  const count = database.prepare('select count(distinct id) as n from parts');
  const read = database.prepare('select id, doc from parts order by id, rowid');
  let open = 0;
  const flush = (): void => {
    if (open > 0) database.exec('commit');
    open = 0;
  };
  return {
    add: (advisory) => {
      if (open === 0) database.exec('begin');
      insert.run([advisory.id, JSON.stringify(advisory)]);
      open += 1;
      if (open >= perTransaction) flush();
    },
    count: () => (count.get([]) as { n: number }).n,
    has: (id) => find.get([id]) !== undefined,
    all: function* () {
      flush();
      let id = '';
      let parts: Advisory[] = [];
      for (const row of read.iterate([]) as Iterable<{ id: string; doc: string }>) {
        if (row.id !== id && parts.length > 0) {
          yield combineParts(parts);
          parts = [];
        }
        id = row.id;
        parts.push(JSON.parse(row.doc) as Advisory);
      }
      if (parts.length > 0) yield combineParts(parts);
    },
    close: async () => {
      database.close();
      await remove();
    },
  };
};
