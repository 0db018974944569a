import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { verifyChain } from '../../../src/audit/chain.ts';
import type { AuditEntry } from '../../../src/audit/chain.ts';
import { emptyJournal } from '../../../src/core/agent/journal.ts';
import { openSqlite } from '../../../src/store/open-sqlite.ts';
import { lockJournal, openJournal } from '../../../src/workers/agent/journal-store.ts';
import type { OpenedJournal } from '../../../src/workers/agent/journal-store.ts';
import { agentScene, order } from '../../core/agent/agent-scene.ts';
import { removeTree } from './loop-rig.ts';

const directories: string[] = [];
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
  for (const path of directories.splice(0)) removeTree(path);
});
const newPath = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'gs-journal-'));
  directories.push(directory);
  return join(directory, 'agent', 'journal.sqlite');
};
const open = (path: string, more: { kept?: number } = {}): OpenedJournal => {
  const lock = lockJournal(path);
  closers.push(lock.release);
  const opened = openJournal(path, { open: openSqlite, newId: randomUUID, ...more });
  closers.push(opened.store.close);
  return opened;
};
const closeAll = (): void => {
  for (const close of closers.splice(0).reverse()) close();
};

const entry = (life: string): AuditEntry => ({
  at: '2026-11-24T12:00:00.000Z',
  ...{ serverTime: 1, host: 'h1', life, actor: 'agent h1', action: 'stop-begun' },
  ...{ subject: 'h1/web-1', service: 'web', cause: null, wave: null, grant: 'g1', outcome: null },
  details: {},
});

describe('the journal on disk', () => {
  test('begins an incarnation at the first start, for root alone, and keeps it', () => {
    const path = newPath();
    const first = open(path);
    const { incarnation } = first.store.load();
    expect(first.made).toBe(true);
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
    closeAll();
    const second = open(path);
    expect(second.made).toBe(false);
    expect(second.store.load()).toEqual(emptyJournal(incarnation, false));
  });

  test('is locked against a second agent', () => {
    const path = newPath();
    open(path);
    expect(() => lockJournal(path)).toThrow(/another agent works on/);
  });

  test('comes back exactly as it was written, in the order of first writing', () => {
    const path = newPath();
    const { store } = open(path);
    const journal = store.load();
    journal.settled = true;
    journal.highestRecord = [1, 2, 3];
    for (const id of ['z', 'a', 'm'])
      journal.upgrades.set(id, {
        jobId: id,
        step: 'waiting',
        noRoom: null,
        end: null,
        order: {
          ...{ waveId: 'w', grantId: `g-${id}`, mode: 'security', packages: [] },
          ...{ allowRemove: false, services: ['web'], beginBefore: 1, deadline: 2 },
        },
      });
    journal.jobs.set('z', { hash: 'h', grants: ['g-z'], forgetAfter: 5 });
    journal.refused.set('g-0', { outcome: 'void', reason: 'taken back' });
    journal.containers.set('web-1', {
      ...{ instance: null, identity: '17', ownerStopped: true, died: false, traces: ['/a'] },
    });
    store.commit(journal, [entry(journal.incarnation)]);
    const waiting = journal.upgrades.get('a');
    if (waiting === undefined) throw new Error('no upgrade');
    // Changed in place, as core does it.
    waiting.step = 'running';
    journal.refused.delete('g-0');
    store.commit(journal, [entry(journal.incarnation)]);
    closeAll();
    const loaded = open(path).store.load();
    expect(loaded).toEqual(journal);
    expect([...loaded.upgrades.keys()]).toEqual(['z', 'a', 'm']);
    expect(loaded.upgrades.get('a')?.step).toBe('running');
  });

  test('reads a grant that an agent of before wrote, and undoes its drain', () => {
    const path = newPath();
    const { store } = open(path);
    const here = agentScene();
    here.job('j', [order('g')]);
    store.commit(here.agent.journal, []);
    closeAll();
    const db = openSqlite(path);
    db.exec("update journal set body = json_remove(body, '$.drains', '$.order.patched')");
    db.close();
    expect(open(path).store.load().grants.get('g')).toMatchObject({
      drains: true,
      order: { patched: null },
    });
  });

  test('chains audit records in the same write, and reports each (audit-copied)', () => {
    const path = newPath();
    const { store } = open(path);
    const journal = store.load();
    const life = journal.incarnation;
    store.commit(journal, [entry(life), entry(life)]);
    closeAll();
    const again = open(path);
    const loaded = again.store.load();
    again.store.commit(loaded, [entry(life)]);
    const chain = again.store.chain(life);
    expect(verifyChain(chain)).toMatchObject({ kind: 'intact', head: { seq: 3 } });
    expect([...loaded.reports]).toEqual(
      chain.map(({ seq, hash, record }) => [seq, { kind: 'audit-copied', seq, hash, record }]),
    );
    expect(loaded.lastSeq).toBe(3);
  });

  test('is synced with the turns that must be, and with them whatever was written before', () => {
    const path = newPath();
    const said: string[] = [];
    const lock = lockJournal(path);
    closers.push(lock.release);
    const { store } = openJournal(path, {
      newId: randomUUID,
      open: (file) => {
        const db = openSqlite(file);
        return new Proxy(db, {
          get: (target, name) => {
            const own: unknown = Reflect.get(target, name);
            if (typeof own !== 'function') return own;
            return (...words: unknown[]): unknown => {
              if (name === 'pragma' || words[0] === 'commit') said.push(String(words[0]));
              return own.apply(target, words);
            };
          },
        });
      },
    });
    closers.push(store.close);
    const journal = store.load();
    const write = (sync: boolean): void => {
      journal.transactions += 1;
      store.commit(journal, [], { sync });
    };
    said.length = 0;
    write(true);
    write(false);
    write(false);
    expect(store.synced()).toBe(false);
    expect(said).toEqual(['commit', 'synchronous = NORMAL', 'commit', 'commit']);
    // Whoever kills the process changes nothing.
    const other = openJournal(path, { open: openSqlite, newId: randomUUID });
    expect(other.store.load().transactions).toBe(3);
    other.store.close();

    said.length = 0;
    write(true);
    expect(store.synced()).toBe(true);
    expect(said).toEqual(['synchronous = FULL', 'commit']);
    write(false);
    said.length = 0;
    const log = (): Buffer => readFileSync(`${path}-wal`);
    const before = log();
    store.sync();
    expect([store.synced(), said]).toEqual([true, ['synchronous = FULL']]);
    // Only a commit that writes something is synced, and what was written before with it.
    expect(log().equals(before)).toBe(false);
    const after = log();
    store.sync();
    expect(log().equals(after)).toBe(true);
    expect(store.load()).toEqual(journal);

    write(false);
    // A turn that changes nothing must be on disk with what it stands on.
    store.commit(journal, [], { sync: true });
    expect(store.synced()).toBe(true);

    // A process does not know what of its predecessor's is on disk.
    const next = openJournal(path, { open: openSqlite, newId: randomUUID });
    expect(next.store.synced()).toBe(false);
    next.store.commit(next.store.load(), []);
    expect(next.store.synced()).toBe(true);
    next.store.close();
  });

  test('goes on in a new log where a sync has failed over what counts as written', () => {
    const path = newPath();
    const lock = lockJournal(path);
    closers.push(lock.release);
    let failing = false;
    const { store } = openJournal(path, {
      newId: randomUUID,
      open: (file) => {
        const db = openSqlite(file);
        return new Proxy(db, {
          get: (target, name) => {
            const own: unknown = Reflect.get(target, name);
            if (typeof own !== 'function') return own;
            return (...words: unknown[]): unknown => {
              if (failing && words[0] === 'commit')
                throw Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR_FSYNC' });
              return own.apply(target, words);
            };
          },
        });
      },
    });
    closers.push(store.close);
    const salts = (): string => readFileSync(`${path}-wal`).toString('hex', 16, 24);
    const journal = store.load();
    journal.transactions = 1;
    store.commit(journal, [], { sync: false });
    const first = salts();
    journal.transactions = 2;
    failing = true;
    expect(() => {
      store.commit(journal, []);
    }).toThrow('disk I/O error');
    failing = false;
    expect(store.load().transactions).toBe(1);
    expect(salts()).not.toBe(first);
    expect(store.synced()).toBe(true);
    const again = salts();
    store.load();
    expect(salts()).toBe(again);
  });

  test('keeps the last records of the chain, and all that the server has not acknowledged', () => {
    const path = newPath();
    const { store } = open(path, { kept: 5 });
    const journal = store.load();
    const life = journal.incarnation;
    const write = (count: number): void => {
      store.commit(
        journal,
        Array.from({ length: count }, () => entry(life)),
      );
    };
    const seqs = (): number[] => store.chain(life).map(({ seq }) => seq);
    write(8);
    expect(seqs()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    // The server has the first two, and then all.
    journal.reports.delete(1);
    journal.reports.delete(2);
    write(1);
    expect(seqs()).toEqual([3, 4, 5, 6, 7, 8, 9]);
    journal.reports.clear();
    write(1);
    expect(seqs()).toEqual([6, 7, 8, 9, 10]);
    // It goes on from the last, also after a restart.
    closeAll();
    const again = open(path, { kept: 5 });
    again.store.commit(again.store.load(), [entry(life)]);
    const [first, ...rest] = again.store.chain(life);
    expect(first?.seq).toBe(7);
    const from = { seq: 7, hash: first?.hash ?? '' };
    expect(verifyChain(rest, { from })).toMatchObject({ kind: 'intact', head: { seq: 11 } });
  });

  test('leaves journal and chain as they were when a write does not commit', () => {
    const path = newPath();
    const { store } = open(path);
    const journal = store.load();
    const life = journal.incarnation;
    journal.transactions = 7;
    store.commit(journal, [entry(life)]);
    // A record that lies in the second's place: the write breaks off in its middle.
    const other = openSqlite(path);
    closers.push(() => other.close());
    other.exec(`insert into audit_chain values ('${life}', 3, 'other', '{}')`);
    journal.transactions = 8;
    expect(() => {
      store.commit(journal, [entry(life), entry(life)]);
    }).toThrow(/UNIQUE/);
    expect(journal.lastSeq).toBe(1);
    expect(store.load()).toMatchObject({ transactions: 7, lastSeq: 1 });
    expect(store.load().reports.size).toBe(1);
    other.exec("delete from audit_chain where hash = 'other'");
    expect(verifyChain(store.chain(life))).toMatchObject({ kind: 'intact', head: { seq: 1 } });
    store.commit(store.load(), [entry(life), entry(life)]);
    expect(verifyChain(store.chain(life))).toMatchObject({ kind: 'intact', head: { seq: 3 } });
  });

  test.each([
    [
      'is no database',
      (path: string) => {
        // What lies in the write-ahead log would bring it back.
        removeTree(`${path}-wal`);
        removeTree(`${path}-shm`);
        writeFileSync(path, 'x'.repeat(8_192));
      },
    ],
    [
      'holds what this agent cannot read',
      (path: string) => {
        const db = openSqlite(path);
        db.exec(`update journal set body = '{"incarnation":"old","strange":1}'`);
        db.close();
      },
    ],
  ])('is put aside, and a new incarnation begun, when it %s (R15)', (_what, spoil) => {
    const path = newPath();
    const { incarnation } = open(path).store.load();
    closeAll();
    spoil(path);
    const opened = open(path);
    expect(opened.alert).toMatch(/could not be read [^]* lies at .*unreadable-/);
    expect(opened.made).toBe(true);
    expect(opened.store.load().incarnation).not.toBe(incarnation);
    expect(readdirSync(dirname(path)).some((name) => name.includes('unreadable-'))).toBe(true);
  });
});
