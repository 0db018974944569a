import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chainRecord, chainStart } from '../../src/audit/chain.ts';
import type { Link } from '../../src/audit/chain.ts';
import type { ControlAudit } from '../../src/core/coordinator/turn.ts';
import { newSigningKey } from '../../src/jobs/signing-key.ts';
import { appendAuditRecords } from '../../src/store/audit-records.ts';
import { auditSegments } from '../../src/store/audit-segments.ts';
import { lastCheckpointRow } from '../../src/store/checkpoints.ts';
import { acquireLease } from '../../src/store/lease.ts';
import type { Lease } from '../../src/store/lease.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/open-store.ts';
import { keepAudit } from '../../src/workers/control/keep-audit.ts';
import type { KeptAudit } from '../../src/workers/control/keep-audit.ts';
import { waitUntil } from '../bed/wait-until.ts';

const wait = { deadlineMs: 20_000, everyMs: 20 };
const dayMs = 86_400_000;
let directory: string;
let store: Store;
let lease: Lease;
let link: Link;
let wallMs: number;
let errors: string[];
let kept: KeptAudit | null;
const key = newSigningKey();

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gs-keep-audit-'));
  store = await openStore(join(directory, 'store.sqlite'));
  const taken = await acquireLease(store.db, {
    ...{ databaseNow: store.databaseNow, holder: 'test', ttlMs: 60_000 },
  });
  if (taken.kind !== 'leader') throw new Error('somebody else leads');
  ({ lease } = taken);
  link = chainStart;
  wallMs = Date.parse('2026-11-29T10:00:00Z');
  errors = [];
  kept = null;
});
afterEach(async () => {
  await kept?.stop();
  jest.useRealTimers();
  await store.close();
  await rm(directory, { recursive: true });
  expect(errors).toEqual([]);
});

const begin = async (sealAfterDays: number | null = null): Promise<KeptAudit> => {
  kept = await keepAudit({
    ...{ store, lease, key, wallNow: () => new Date(wallMs) },
    settings: { anchors: {}, sealAfterDays, directory: join(directory, 'audit') },
    onError: (error, what) => errors.push(`${what}: ${String(error)}`),
  });
  return kept;
};

const write = async (): Promise<void> => {
  const { seq, hash, record } = chainRecord(link, {
    ...{ at: new Date(wallMs).toISOString(), serverTime: 1, host: '@server', life: '' },
    ...{ actor: 'ann', action: 'noted', subject: 'fleet', service: null, cause: null, wave: null },
    ...{ grant: null, outcome: null, details: {} },
  });
  link = { seq, hash };
  await appendAuditRecords(store.db, [
    { chain: 'server', life: '', seq, hash, record: { ...record }, proven: true },
  ]);
};

const last = async (): Promise<number> => (await lastCheckpointRow(store.db))?.number ?? 0;
const told = (action: ControlAudit['action']): Pick<ControlAudit, 'action'> => ({ action });
const committed = ({ committed }: KeptAudit, action: ControlAudit['action']): void => {
  committed([{ audits: [] }, { audits: [told(action) as ControlAudit] }]);
};

test('a checkpoint is made of what is there at the start, and every minute with news', async () => {
  jest.useFakeTimers({ doNotFake: ['performance', 'setImmediate', 'nextTick'] });
  await write();
  await begin();
  await jest.advanceTimersByTimeAsync(0);
  expect(await last()).toBe(1);
  await write();
  await jest.advanceTimersByTimeAsync(59_000);
  expect(await last()).toBe(1);
  await jest.advanceTimersByTimeAsync(1_000);
  expect(await last()).toBe(2);
  await jest.advanceTimersByTimeAsync(600_000);
  expect(await last()).toBe(2);
});

test.each<[ControlAudit['action'], number]>([
  ['wave-finished', 2],
  ['wave-declined', 2],
  ['granted', 1],
])('whether it waits for the minute: %s', async (action, checkpoints) => {
  await write();
  const audit = await begin();
  await waitUntil('the first', async () => (await last()) === 1, wait);
  await write();
  committed(audit, action);
  await audit.stop();
  expect(await last()).toBe(checkpoints);
});

test('what is older than it is kept for is moved into a file, and what is not stays', async () => {
  await write();
  await (await begin(2)).stop();
  wallMs += dayMs;
  await write();
  await (await begin(2)).stop();
  expect(await auditSegments(store.db)).toEqual([]);
  // Whole days: the first record is older than two of them by now.
  wallMs += 2 * dayMs;
  const recordsLeft = async (): Promise<number> =>
    (await store.db.selectFrom('audit_records').select('position').execute()).length;
  await begin(2);
  await waitUntil('the first is moved', async () => (await recordsLeft()) === 1, wait);
  expect(await readdir(join(directory, 'audit'))).toEqual(['000001.jsonl.gz']);
  expect(await auditSegments(store.db)).toMatchObject([{ number: 1, position: 1 }]);
});
