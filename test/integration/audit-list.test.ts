import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CompiledQuery } from 'kysely';
import { blockOf } from '../../src/store/audit-blocks.ts';
import { appendAuditRecords } from '../../src/store/audit-records.ts';
import type { NewAuditRecord } from '../../src/store/audit-records.ts';
import { listAuditRecords } from '../../src/store/list-audit-records.ts';
import type { AuditFilter } from '../../src/store/list-audit-records.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/open-store.ts';

const everything: AuditFilter = {
  ...{ container: undefined, service: undefined, wave: undefined, actor: undefined },
  ...{ outcome: undefined, since: undefined, until: undefined, after: 0, limit: 10 },
};

let directory: string;
let store: Store;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gs-audit-list-'));
  store = await openStore(join(directory, 'store.sqlite'));
});
afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true });
});

const seqsOf = async (filter: Partial<AuditFilter>): Promise<number[]> =>
  (await listAuditRecords(store.db, { ...everything, ...filter })).map(({ seq }) => seq);

const recordOf = (seq: number, entry: object, more: Partial<NewAuditRecord> = {}) => ({
  ...{ chain: 'server', life: '', seq, hash: String(seq), proven: true },
  record: { at: `2026-11-0${seq}T00:00:00.000Z`, actor: 'ann', ...entry },
  ...more,
});

test('audit records are found by container, whether an agent or an operator wrote them', async () => {
  await appendAuditRecords(store.db, [
    recordOf(1, { subject: 'h1/web-1' }),
    recordOf(2, { subject: 'container h1/web-1' }),
    recordOf(3, { subject: 'service web' }),
  ]);
  expect(await seqsOf({ container: 'h1/web-1' })).toEqual([1, 2]);
});

test.each<[string, Partial<AuditFilter>, number[]]>([
  ['nothing: all of them', {}, [1, 2, 3, 4]],
  ['a service', { service: 'web' }, [1, 2]],
  ['an actor', { actor: 'ann' }, [1, 3]],
  ['an outcome', { outcome: 'failed' }, [2, 3]],
  ['a container', { container: 'h1/web-1' }, [1, 2]],
  ['a wave', { wave: 'w1' }, [1, 3]],
  ['a time, which counts itself', { since: '2026-11-02T00:00:00.000Z' }, [2, 3, 4]],
  ['a time up to which it was, which counts itself', { until: '2026-11-02T00:00:00.000Z' }, [1, 2]],
  ['a day', { since: '2026-11-02T00:00:00.000Z', until: '2026-11-02T23:59:59.999Z' }, [2]],
  ['all of what is asked for at once', { service: 'web', outcome: 'failed', actor: 'bob' }, [2]],
  ['the newest of what fits', { outcome: 'failed', limit: 1 }, [3]],
  ['what follows a position, oldest first', { outcome: 'failed', after: 1, limit: 1 }, [2]],
  ['a name that only begins with it', { service: 'we' }, []],
  ['what would be SQL', { actor: "ann' or '1'='1" }, []],
])('audit records are found by %s', async (_, filter, seqs) => {
  await appendAuditRecords(store.db, [
    recordOf(1, { subject: 'h1/web-1', service: 'web', wave: 'w1', outcome: 'done' }),
    recordOf(2, { actor: 'bob', subject: 'container h1/web-1', service: 'web', outcome: 'failed' }),
    recordOf(3, { subject: 'h2/api-1', service: 'api', wave: 'w1', outcome: 'failed' }),
    recordOf(4, { actor: 'agent h1', subject: 'h1', service: null, wave: null, outcome: null }),
  ]);
  expect(await seqsOf(filter)).toEqual(seqs);
});

test.each<[string, string, Partial<AuditFilter>, number[]]>([
  ['to the second', '2026-11-29T10:00:00Z', { since: '2026-11-29T10:00:00.000Z' }, [1]],
  ['to the second', '2026-11-29T10:00:00Z', { until: '2026-11-29T10:00:00.000Z' }, [1]],
  ['by the clock of a zone', '2026-11-29T12:00:00+02:00', { until: '2026-11-29T11:00:00Z' }, [1]],
  ['by the clock of a zone', '2026-11-29T09:00:00-02:00', { until: '2026-11-29T10:59:59Z' }, []],
  ['as all are', '2026-11-29T10:00:00.000Z', { since: '2026-11-29T10:00:00Z' }, [1]],
  ['as all are', '2026-11-29T10:00:00.000Z', { since: '2026-11-29T12:00:00+02:00' }, [1]],
  ['as all are', '2026-11-29T10:00:00.500Z', { until: '2026-11-29T10:00:00Z' }, []],
  ['as no time', 'noon', { since: '1970-01-01T00:00:00Z' }, []],
])(
  'times are compared as times: one that is written %s, %s, by %j',
  async (_, at, filter, seqs) => {
    await appendAuditRecords(store.db, [recordOf(1, { at })]);
    expect(await seqsOf(filter)).toEqual(seqs);
  },
);

describe('many records', () => {
  const count = 9_000;
  /** Seldom: each 1,500th, from the 100th on. */
  const seldom = [100, 1_600, 3_100, 4_600, 6_100, 7_600];

  beforeEach(async () => {
    await store.db.transaction().execute((db: Store['db']) =>
      appendAuditRecords(
        db,
        Array.from({ length: count }, (_, index) =>
          recordOf(index + 1, {
            at: new Date(Date.UTC(2026, 0, 1) + index * 60_000).toISOString(),
            ...{ subject: `h1/web-${index % 40}`, service: 'web', wave: 'w1' },
            outcome: seldom.includes(index + 1) ? 'failed' : 'done',
          }),
        ),
      ),
    );
  });

  test('are found wherever they stand, the newest first, and in order after a position', async () => {
    expect(blockOf(count)).toBeGreaterThan(5);
    expect(await seqsOf({ outcome: 'failed' })).toEqual(seldom);
    expect(await seqsOf({ outcome: 'failed', limit: 2 })).toEqual(seldom.slice(-2));
    expect(await seqsOf({ outcome: 'failed', after: 100, limit: 2 })).toEqual([1_600, 3_100]);
    expect(await seqsOf({ outcome: 'failed', after: 7_600 })).toEqual([]);
    expect(await seqsOf({ service: 'web', after: count })).toEqual([]);
    expect(await seqsOf({ container: 'h1/web-7', limit: 2 })).toEqual([8_928, 8_968]);
    const until = new Date(Date.UTC(2026, 0, 1) + 1_999 * 60_000).toISOString();
    expect(await seqsOf({ until, limit: 3 })).toEqual([1_998, 1_999, 2_000]);
    expect(await seqsOf({ until, outcome: 'failed' })).toEqual([100, 1_600]);
    expect(await seqsOf({ limit: 3 })).toEqual([8_998, 8_999, 9_000]);
  });

  test.each<[string, Partial<AuditFilter>]>([
    ['container', { container: 'h1/web-7' }],
    ['service', { service: 'api' }],
    ['wave', { wave: 'w2' }],
    ['actor', { actor: 'bob' }],
    ['outcome', { outcome: 'failed' }],
    ['time', { until: '2025-01-01T00:00:00Z' }],
    ['time, from a position on', { since: '2027-01-01T00:00:00Z', after: 5 }],
  ])('are found by %s with an index, not by reading all', async (_, filter) => {
    const asked: CompiledQuery[] = [];
    const asking = store.db.withPlugin({
      transformQuery: ({ node, queryId }) => {
        asked.push(store.db.getExecutor().compileQuery(node, queryId));
        return node;
      },
      transformResult: ({ result }) => Promise.resolve(result),
    });
    await listAuditRecords(asking, { ...everything, ...filter });
    const plans: string[] = [];
    for (const { sql, parameters } of asked.filter((query) => query.sql.includes('"record"'))) {
      const explain = CompiledQuery.raw(`explain query plan ${sql}`, [...parameters]);
      const { rows } = await store.db.executeQuery<{ detail: string }>(explain);
      plans.push(rows.map(({ detail }) => detail).join('; '));
    }
    expect(plans).not.toEqual([]);
    for (const plan of plans) {
      expect(plan).toMatch(/USING INDEX audit_records_by_/);
      expect(plan).not.toContain('SCAN');
    }
  });
});

test('a hundred records take a few statements, and none that takes others away', async () => {
  const statements: string[] = [];
  const counted = store.db.withPlugin({
    transformQuery: ({ node }) => {
      statements.push(node.kind);
      return node;
    },
    transformResult: ({ result }) => Promise.resolve(result),
  });
  const records = Array.from({ length: 100 }, (_, index) => recordOf(index + 1, {}));
  await appendAuditRecords(counted, records);
  expect(statements).toEqual(['SelectQueryNode', 'InsertQueryNode', 'InsertQueryNode']);
  await appendAuditRecords(counted, records.slice(0, 20));
  expect(await seqsOf({ limit: 1_000 })).toHaveLength(100);
});
