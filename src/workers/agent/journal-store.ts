import { chmodSync, existsSync, mkdirSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { chainRecord, chainStart } from '../../audit/chain.ts';
import type { AuditEntry, ChainedRecord, Link } from '../../audit/chain.ts';
import { emptyJournal } from '../../core/agent/journal.ts';
import type { Journal } from '../../core/agent/journal.ts';
import { errorText } from '../../core/error-text.ts';
import { AuditCopied } from '../../core/messages.ts';
import { createWrittenJournal } from './journal-diff.ts';
import { createJournalSync, syncSchema } from './journal-sync.ts';
import { journalOf } from './journal-rows.ts';
import type { JournalRow } from './journal-rows.ts';
import { makeRoom } from '../../store/make-room.ts';
import { lockFile, sqliteCode } from '../../store/open-sqlite.ts';
import type { SqliteHandle } from '../../store/open-sqlite.ts';

/** Rows keep the order of their first writing: what waits, waits in that order. */
const schema = `
create table if not exists journal (
  position integer primary key,
  part text not null,
  key text not null,
  body text not null,
  unique (part, key)
);
create table if not exists audit_chain (
  life text not null,
  seq integer not null,
  hash text not null,
  record text not null,
  primary key (life, seq)
) without rowid;
${syncSchema}`;

const Row = z.object({ part: z.string(), key: z.string(), body: z.string() });
const LinkRow = z.object({ seq: z.number(), hash: z.string() });
const ChainRow = z.object({ seq: z.number(), hash: z.string(), record: z.string() });

/** The agent's journal on disk. All calls are synchronous: a commit costs 0.3 ms, and what its sync takes (0.2 to 3 ms). */
export interface JournalStore {
  /** The journal as it lies on disk; another object at each call. Throws where the file cannot be read. */
  load: () => Journal;
  /**
   * Write a turn, whole or not at all: what changed in the journal, and the audit entries as the
   * next links of the chain; every record also becomes a report of the journal (`audit-copied`). Throws
   * when it did not commit (full disk); the journal in memory is then ahead, and must be loaded anew.
   * Whatever becomes of the process it is kept then; `sync` (which it is unless told otherwise): whatever becomes of the host.
   */
  commit: (journal: Journal, entries: readonly AuditEntry[], options?: { sync: boolean }) => void;
  /** Make durable whatever was written without `sync`; costs nothing where there is nothing. Throws when it cannot. */
  sync: () => void;
  /** Whether nothing waits for that. */
  synced: () => boolean;
  /** Records of one life's chain, in order: those after the number `after`, at most `limit`. */
  chain: (life: string, range?: { after: number; limit: number }) => Omit<AuditCopied, 'kind'>[];
  close: () => void;
}

const rowsOf = (db: SqliteHandle): JournalRow[] =>
  db
    .prepare('select part, key, body from journal order by position')
    .all()
    .map((row) => Row.parse(row));

const lastLink = (db: SqliteHandle, life: string): Link => {
  const [last] = db
    .prepare('select seq, hash from audit_chain where life = ? order by seq desc limit 1')
    .all(life);
  return last === undefined ? chainStart : LinkRow.parse(last);
};

/**
 * So many records of a life stay here, and more only where they were not acknowledged yet. A server that was restored from a backup asks
 * for those since (R16), so this is what a busy host writes in years.
 */
const recordsKept = 20_000;
/** Taken away by one commit at most: it holds up whatever waits for it. */
const mostForgotten = 1_000;

/** The last record that the server has, and that is older than those which stay. */
const forgettable = ({ reports }: Journal, lastSeq: number, kept: number): number => {
  let upTo = lastSeq - kept;
  if (upTo > 0)
    for (const report of reports.values())
      if (report.kind === 'audit-copied') upTo = Math.min(upTo, report.seq - 1);
  return upTo;
};

const createStore = (db: SqliteHandle, first: Journal | null, kept: number): JournalStore => {
  const put = db.prepare(
    'insert into journal (part, key, body) values (?, ?, ?) on conflict (part, key) do update set body = excluded.body',
  );
  const remove = db.prepare('delete from journal where part = ? and key = ?');
  const append = db.prepare(
    'insert into audit_chain (life, seq, hash, record) values (?, ?, ?, ?)',
  );
  const forget = db.prepare(
    'delete from audit_chain where life = ? and seq <= ? and seq < ? + (select min(seq) from audit_chain where life = ?)',
  );
  let written = createWrittenJournal(first);
  const log = createJournalSync(db);
  let chained: { life: string; last: Link } | null = null;

  const commit = (
    journal: Journal,
    entries: readonly AuditEntry[],
    options: { sync: boolean } = { sync: true },
  ): void => {
    const life = journal.incarnation;
    let last = chained?.life === life ? chained.last : lastLink(db, life);
    const records: ChainedRecord[] = [];
    for (const entry of entries) {
      const next = chainRecord(last, entry);
      records.push(next);
      last = next;
      journal.lastSeq += 1;
      const { seq, hash, record } = next;
      journal.reports.set(journal.lastSeq, {
        kind: 'audit-copied',
        seq,
        hash,
        record: { ...record },
      });
    }
    const changes = written.differences(journal);
    if (changes.put.length === 0 && changes.remove.length === 0) {
      if (options.sync) log.sync();
      return;
    }
    log.next(options);
    db.exec('begin immediate');
    try {
      for (const { part, key, body } of changes.put) put.run(part, key, body);
      for (const { part, key } of changes.remove) remove.run(part, key);
      for (const { seq, hash, record } of records)
        append.run(life, seq, hash, JSON.stringify(record));
      const upTo = records.length === 0 ? 0 : forgettable(journal, last.seq, kept);
      if (upTo > 0) forget.run(life, upTo, mostForgotten, life);
      db.exec('commit');
    } catch (error) {
      log.failed(error);
      try {
        db.exec('rollback');
      } catch {
        // SQLite rolls back by itself on some errors (SQLITE_FULL, SQLITE_IOERR): nothing is open then.
      }
      // The journal is as the turn left it, so that the same turn can be tried once more.
      for (let undone = 0; undone < records.length; undone++) {
        journal.reports.delete(journal.lastSeq);
        journal.lastSeq -= 1;
      }
      chained = null;
      throw error;
    }
    log.written(options);
    written.accept(changes);
    chained = { life, last };
  };

  return {
    load: () => {
      log.mend();
      const journal = journalOf(rowsOf(db));
      written = createWrittenJournal(journal);
      chained = null;
      return journal;
    },
    commit,
    sync: log.sync,
    synced: log.synced,
    chain: (life, { after, limit } = { after: 0, limit: -1 }) =>
      db
        .prepare(
          'select seq, hash, record from audit_chain where life = ? and seq > ? order by seq limit ?',
        )
        .all(life, after, limit)
        .map((row) => ChainRow.parse(row))
        .map((row) => ({ ...row, record: AuditCopied.shape.record.parse(JSON.parse(row.record)) })),
    close: () => {
      db.close();
    },
  };
};

/** Move a file that is no journal out of the way, with what SQLite keeps beside it. */
const putAside = (path: string, suffix: string): string => {
  const aside = `${path}.unreadable-${suffix}`;
  for (const ending of ['', '-wal', '-shm'])
    if (existsSync(path + ending)) renameSync(path + ending, aside + ending);
  return aside;
};

export interface OpenedJournal {
  store: JournalStore;
  /** A journal was made, because there was none or it could not be read: a new incarnation (R15). */
  made: boolean;
  /** What must be told to people; null: nothing. */
  alert: string | null;
}

/**
 * Keep other agents off the journal at `path` for as long as this process lives, and others than root out
 * of its directory (0700). Throws where another agent works on it, or the place cannot be written.
 */
export const lockJournal = (path: string): { release: () => void } => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  chmodSync(dirname(path), 0o700);
  const lock = lockFile(`${path}.lock`);
  if (lock === null)
    throw new Error(
      `another agent works on ${path}: stop it first (systemctl stop groundswell-agent)`,
    );
  return lock;
};

/**
 * Open the journal at `path`, whose lock is held, or begin a new incarnation (R15) where
 * there is none; one that cannot be read is put aside first, never overwritten. Throws where the place
 * cannot be written at all.
 */
export const openJournal = (
  path: string,
  {
    open,
    newId,
    kept = recordsKept,
  }: { open: (path: string) => SqliteHandle; newId: () => string; kept?: number },
): OpenedJournal => {
  const begin = (db: SqliteHandle): JournalStore => {
    db.exec(schema);
    const store = createStore(db, null, kept);
    if (rowsOf(db).length === 0) store.commit(emptyJournal(newId(), false), []);
    store.load();
    // Not before: one that cannot be read is put aside as it is.
    makeRoom(db, path);
    return store;
  };
  const existed = existsSync(path);
  let db: SqliteHandle | null = null;
  try {
    db = open(path);
    db.exec(schema);
    const made = rowsOf(db).length === 0;
    return { store: begin(db), made, alert: null };
  } catch (error) {
    try {
      db?.close();
    } catch {
      // A database that cannot be read may not close either; it is not used again.
    }
    if (!existed || !isUnreadable(error)) throw error;
    const aside = putAside(path, newId());
    return {
      store: begin(open(path)),
      made: true,
      alert: `the journal could not be read (${errorText(error)}): it lies at ${aside}, and a new incarnation was begun`,
    };
  }
};

/** Damage or content of another make; a full or failing disk is no reason to give the journal up. */
const isUnreadable = (error: unknown): boolean => {
  const code = sqliteCode(error);
  return (
    code.startsWith('SQLITE_CORRUPT') ||
    code.startsWith('SQLITE_NOTADB') ||
    errorText(error).startsWith('the journal')
  );
};
