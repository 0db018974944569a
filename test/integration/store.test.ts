import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { sql } from 'kysely';
import {
  acquireLease,
  inLeaderTransaction,
  LeaseLost,
  releaseLease,
  renewLease,
} from '../../src/store/lease.ts';
import type { Lease } from '../../src/store/lease.ts';
import { raiseGeneration, readGeneration } from '../../src/store/meta.ts';
import { addHostKey, enrolHost, enrolledHosts, revokeHost } from '../../src/store/enrolment.ts';
import { lockFile, openSqlite } from '../../src/store/open-sqlite.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/open-store.ts';
import {
  closeOutbox,
  forgetClosedOutbox,
  insertOutbox,
  openOutbox,
} from '../../src/store/outbox.ts';
import type { OutboxRow } from '../../src/store/outbox.ts';
import { reserveAheadMs, startServerClock } from '../../src/store/server-clock.ts';
import { waitToLead } from '../../src/workers/control/lead.ts';

let directory: string;
let path: string;
let store: Store;
const stores: Store[] = [];

const open = async (): Promise<Store> => {
  const opened = await openStore(path);
  stores.push(opened);
  return opened;
};

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gs-store-'));
  path = join(directory, 'store.db');
  store = await open();
});
afterEach(async () => {
  for (const opened of stores.splice(0)) await opened.close();
  await rm(directory, { recursive: true });
});

const row = (jobId: string, createdAt = 1): OutboxRow => ({
  jobId,
  hostId: 'h1',
  kind: 'observe-host',
  envelope: '{}',
  createdAt,
  expiresAt: 100,
});

const lead = async (from: Store, holder: string, ttlMs = 60_000, seize = false): Promise<Lease> => {
  const { databaseNow } = from;
  const acquired = await acquireLease(from.db, { databaseNow, holder, ttlMs, seize });
  if (acquired.kind !== 'leader') throw new Error(`${holder} does not lead`);
  return acquired.lease;
};

const expireLease = (): Promise<unknown> =>
  sql`UPDATE lease SET expires_at = ${store.databaseNow} - 1`.execute(store.db);

test('what SQLite has rolled back by itself fails for its own reason', async () => {
  await sql`CREATE TRIGGER full BEFORE INSERT ON outbox BEGIN SELECT RAISE(ROLLBACK, 'no room'); END`.execute(
    store.db,
  );
  const written = store.db.transaction().execute((tx) => insertOutbox(tx, [row('j1')]));
  await expect(written).rejects.toThrow('no room');
  await sql`DROP TRIGGER full`.execute(store.db);
  await store.db.transaction().execute((tx) => insertOutbox(tx, [row('j1')]));
  expect(await openOutbox(store.db)).toHaveLength(1);
});

describe('a store', () => {
  test('syncs every commit, and opens again over what it finds', async () => {
    const handle = openSqlite(path);
    const settings = ['journal_mode', 'synchronous', 'foreign_keys', 'busy_timeout'].map(
      (name) => Object.values(handle.prepare(`PRAGMA ${name}`).all()[0] as object)[0] as unknown,
    );
    expect(settings).toEqual(['wal', 2, 1, 5000]);
    handle.close();
    await raiseGeneration(store.db, 7);
    const again = await open();
    expect(await readGeneration(again.db)).toBe(7);
  });

  test('keeps the highest generation', async () => {
    await raiseGeneration(store.db, 3);
    await raiseGeneration(store.db, 2);
    expect(await readGeneration(store.db)).toBe(3);
  });

  test('is refused when a newer program has made it', async () => {
    await sql`INSERT INTO kysely_migration (name, timestamp) VALUES ('999-newer', 'x')`.execute(
      store.db,
    );
    await expect(openStore(path)).rejects.toThrow(/999-newer/);
  });

  test('lets two processes write in turn, each reading first', async () => {
    const child = join(import.meta.dirname, 'write-outbox.child.ts');
    const write = (name: string) =>
      execa(process.execPath, ['--import', 'tsx', child, path, name, '100']);
    await Promise.all([write('a'), write('b')]);
    expect(await openOutbox(store.db)).toHaveLength(200);
  }, 30_000);
});

describe('the outbox', () => {
  test('commits with its cause or not at all', async () => {
    const lease = await lead(store, 'a');
    const failing = inLeaderTransaction(store.db, lease, async (transaction) => {
      await insertOutbox(transaction, [row('h1_1')]);
      await raiseGeneration(transaction, 9);
      throw new Error('the audit record could not be written');
    });
    await expect(failing).rejects.toThrow('audit record');
    expect(await openOutbox(store.db)).toEqual([]);
    expect(await readGeneration(store.db)).toBe(1);
    await inLeaderTransaction(store.db, lease, (transaction) =>
      insertOutbox(transaction, [row('h1_1')]),
    );
    const other = await open();
    expect(await openOutbox(other.db)).toEqual([row('h1_1')]);
  });

  test('holds a job until it is closed, once, and forgets it later', async () => {
    const many = Array.from({ length: 2500 }, (_, index) => row(`h1_${index}`, index));
    await insertOutbox(store.db, many);
    await expect(insertOutbox(store.db, [row('h1_3')])).rejects.toThrow(/UNIQUE/);
    const [first, ...rest] = many.map(({ jobId }) => jobId);
    await closeOutbox(store.db, rest, { closedAt: 50, reason: 'answered' });
    await closeOutbox(store.db, rest, { closedAt: 90, reason: 'answered again' });
    expect(await openOutbox(store.db)).toEqual([many[0]]);
    expect(await forgetClosedOutbox(store.db, 51)).toBe(2499);
    expect((await openOutbox(store.db)).map(({ jobId }) => jobId)).toEqual([first]);
  });
});

describe('the lease', () => {
  test('is held by one, renewed, and taken over when it has run out', async () => {
    const lease = await lead(store, 'a');
    const other = await open();
    const asked = { databaseNow: other.databaseNow, holder: 'b', ttlMs: 60_000 };
    expect(await acquireLease(other.db, asked)).toEqual({
      ...{ kind: 'standby', holder: 'a', epoch: lease.epoch },
    });
    await renewLease(store.db, lease, store.databaseNow);
    await expireLease();
    const taken = await acquireLease(other.db, asked);
    expect(taken).toMatchObject({ kind: 'leader', lease: { holder: 'b' } });
    expect((await lead(store, 'c', 60_000, true)).epoch).toBeGreaterThan(lease.epoch + 1);
  });

  test.each([
    ['somebody else', 'b'],
    ['one of its own name', 'a'],
  ])('once taken over by %s, its former holder can write nothing', async (_, name) => {
    const lease = await lead(store, 'a');
    await expireLease();
    await lead(await open(), name);
    await expect(renewLease(store.db, lease, store.databaseNow)).rejects.toThrow(LeaseLost);
    let ran = false;
    const writing = inLeaderTransaction(store.db, lease, async (transaction) => {
      ran = true;
      await insertOutbox(transaction, [row('h1_1')]);
    });
    await expect(writing).rejects.toThrow(LeaseLost);
    expect(ran).toBe(false);
    await releaseLease(store.db, lease);
    await expect(lead(store, 'c')).rejects.toThrow('does not lead');
  });

  test('a transaction of the old leader and the taking over never overlap', async () => {
    const lease = await lead(store, 'a');
    await expireLease();
    const next = openSqlite(path);
    next.pragma('busy_timeout = 0');
    await inLeaderTransaction(store.db, lease, async (transaction) => {
      expect(() => next.exec('UPDATE lease SET epoch = epoch + 1')).toThrow(/locked/);
      await insertOutbox(transaction, [row('h1_1')]);
    });
    next.exec('UPDATE lease SET epoch = epoch + 1');
    next.close();
    await expect(inLeaderTransaction(store.db, lease, () => Promise.resolve())).rejects.toThrow(
      LeaseLost,
    );
  });

  test('nothing is written under a lease that was taken over, whenever that was', async () => {
    const next = openSqlite(path);
    next.pragma('busy_timeout = 0');
    const outcomes = new Set<string>();
    for (let ticks = 0; ticks < 60; ticks += 1) {
      const lease = await lead(store, 'a', 60_000, true);
      let [ran, taken] = [false, false];
      const writing = inLeaderTransaction(store.db, lease, () => {
        // Who leads is settled until the end of this.
        if (taken) outcomes.add('written under a lost lease');
        ran = true;
        return Promise.resolve();
      }).catch((error: unknown) => expect(error).toBeInstanceOf(LeaseLost));
      for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve();
      if (!ran)
        try {
          next.exec('UPDATE lease SET epoch = epoch + 1');
          taken = true;
        } catch (error) {
          expect(String(error)).toMatch(/locked/);
        }
      await writing;
      outcomes.add(taken ? 'refused' : 'written');
    }
    next.close();
    expect([...outcomes].sort()).toEqual(['refused', 'written']);
  });

  test('given back, it can be taken at once; seized, it is taken from a living holder', async () => {
    const first = await lead(store, 'a');
    await releaseLease(store.db, first);
    const second = await lead(store, 'b');
    expect(second.epoch).toBeGreaterThan(first.epoch);
    expect((await lead(store, 'c', 60_000, true)).epoch).toBeGreaterThan(second.epoch);
  });

  test('does not last longer because the clock was set back', async () => {
    const { epoch } = await lead(store, 'a', 10_000);
    await sql`UPDATE lease SET expires_at = ${store.databaseNow} + 3600000`.execute(store.db);
    expect((await lead(store, 'b')).epoch).toBeGreaterThan(epoch);
  });

  test('has a number that was not given since a backup was made, and a higher one also when the clock is behind', async () => {
    const backup = await lead(store, 'a', 60_000, true);
    const seconds = Math.floor(Date.now() / 1000);
    expect(backup.epoch).toBeGreaterThanOrEqual(seconds - 1);
    await sql`UPDATE lease SET epoch = 7`.execute(store.db);
    expect((await lead(store, 'b', 60_000, true)).epoch).toBeGreaterThanOrEqual(seconds - 1);
    await sql`UPDATE lease SET epoch = ${seconds + 5000}`.execute(store.db);
    expect((await lead(store, 'c', 60_000, true)).epoch).toBe(seconds + 5001);
  });
});

describe('server time (R14)', () => {
  test('goes with the monotonic clock and never back, over any change of leaders', async () => {
    let mono = 500;
    const first = await startServerClock(store.db, await lead(store, 'a'), () => mono);
    expect(first.now()).toBe(0);
    mono += 4_000;
    expect(first.now()).toBe(4_000);
    await first.reserve();
    mono += 9_000;
    const last = first.now();
    expect(last).toBe(13_000);
    await expireLease();
    // Another machine: its monotonic clock says something else altogether.
    let otherMono = 9;
    const other = await open();
    const second = await startServerClock(other.db, await lead(other, 'b'), () => otherMono);
    expect(second.now()).toBeGreaterThanOrEqual(last);
    expect(second.now()).toBeLessThanOrEqual(last + reserveAheadMs);
    otherMono += 5;
    expect(second.now()).toBe(4_000 + reserveAheadMs + 5);
    // The former leader comes back to life: it may not raise the reservation, and its clock stands.
    mono += 3_600_000;
    await expect(first.reserve()).rejects.toThrow(LeaseLost);
    expect(first.now()).toBe(4_000 + reserveAheadMs);
  });

  test('stands when nothing can be reserved, and when the monotonic clock errs', async () => {
    let mono = 0;
    const clock = await startServerClock(store.db, await lead(store, 'a'), () => mono);
    mono = 3_600_000;
    expect(clock.now()).toBe(reserveAheadMs);
    mono = 10;
    expect(clock.now()).toBe(reserveAheadMs);
  });
});

describe('leading', () => {
  const times = { ttlMs: 400, renewEveryMs: 50, askEveryMs: 20 };
  let over = new AbortController();

  // Whoever still asks when a test has failed would ask for ever.
  beforeEach(() => {
    over = new AbortController();
  });
  afterEach(() => {
    over.abort();
  });

  const ask = (from: Store, holder: string, more: Partial<typeof times> = {}) =>
    waitToLead({
      db: from.db,
      databaseNow: from.databaseNow,
      holder,
      seize: false,
      monotonicMs: () => performance.now(),
      onProblem: () => undefined,
      signal: over.signal,
      times: { ...times, ...more },
    });

  test('a standby waits as long as the leader renews, and until it is told to end', async () => {
    const first = await ask(store, 'a');
    const waiting = ask(await open(), 'b');
    await sleep(times.ttlMs * 2);
    expect(first.leads()).toBe(true);
    over.abort();
    await expect(waiting).rejects.toThrow(/abort/i);
    await first.resign();
  });

  test('a standby takes over from a leader that renews no more, and the leader hears of it', async () => {
    // Looks to the others as if it hung: it renews too late.
    const first = await ask(store, 'a', { renewEveryMs: times.ttlMs * 3 });
    const before = first.clock.now();
    const second = await ask(await open(), 'b');
    expect(second.lease.epoch).toBeGreaterThan(first.lease.epoch);
    await first.lost;
    expect(first.leads()).toBe(false);
    expect(second.clock.now()).toBeGreaterThanOrEqual(before);
    await first.resign();
    expect(second.leads()).toBe(true);
    await second.resign();
  });
});

describe('enrolment', () => {
  const key = (keyId: string) => ({ keyId, publicKey: `p-${keyId}` });

  test('believes one key, two while they are rotated, none after revoking', async () => {
    const { db } = store;
    await expect(addHostKey(db, 'h1', key('k0'), 0)).rejects.toThrow('groundswell host add h1');
    await enrolHost(db, { hostId: 'h1', machineId: 'm', key: key('k1'), atMs: 1 });
    await addHostKey(db, 'h1', key('k2'), 2);
    await addHostKey(db, 'h1', key('k3'), 3);
    expect(await enrolledHosts(db)).toEqual([
      { hostId: 'h1', machineId: 'm', state: 'enrolled', publicKeys: [key('k2'), key('k3')] },
    ]);
    expect(await revokeHost(db, 'h1')).toBe(true);
    expect(await revokeHost(db, 'h1')).toBe(false);
    expect(await enrolledHosts(db)).toMatchObject([{ state: 'revoked', publicKeys: [] }]);
    await enrolHost(db, { hostId: 'h1', machineId: 'm2', key: key('k4'), atMs: 4 });
    expect(await enrolledHosts(db)).toMatchObject([{ machineId: 'm2', publicKeys: [key('k4')] }]);
  });
});

test('a locked file is locked until it is released', () => {
  const file = join(directory, 'lock');
  const held = lockFile(file);
  expect(held).not.toBeNull();
  expect(lockFile(file)).toBeNull();
  held?.release();
  const again = lockFile(file);
  expect(again).not.toBeNull();
  again?.release();
});
