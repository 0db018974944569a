import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { readBundleFile, readBundlePages, writeBundleFile } from '../src/audit/bundle-file.ts';
import { chainRecord, chainStart } from '../src/audit/chain.ts';
import type { Link } from '../src/audit/chain.ts';
import { wholeBundle } from '../src/audit/export-bundle.ts';
import { verifyBundle } from '../src/audit/verify-bundle.ts';
import { formatTable } from '../src/cli/print.ts';
import { newSigningKey, verifyKeyOf } from '../src/jobs/signing-key.ts';
import { appendAuditRecords } from '../src/store/audit-records.ts';
import type { NewAuditRecord } from '../src/store/audit-records.ts';
import { acquireLease } from '../src/store/lease.ts';
import { openStore } from '../src/store/open-store.ts';
import { createCheckpointer } from '../src/workers/control/make-checkpoints.ts';
import { digits, median, ratio } from './figures.ts';

const { values } = parseArgs({ options: { records: { type: 'string', default: '300000' } } });
const total = Number(values.records);
const hosts = 200;
const batch = 500;
/** As many as a checkpoint of a busy minute sees. */
const perCheckpoint = 5_000;

const directory = mkdtempSync(join(tmpdir(), 'gs-bench-audit-'));
const key = newSigningKey();
const store = await openStore(join(directory, 'store.sqlite'));
const taken = await acquireLease(store.db, {
  ...{ databaseNow: store.databaseNow, holder: 'bench', ttlMs: 86_400_000 },
});
if (taken.kind !== 'leader') throw new Error('somebody else leads');
const links = new Map<string, Link>();
let wallMs = Date.now();

/** One of a restart's three records, as an agent writes them. */
const recordOf = (index: number): NewAuditRecord => {
  const host = `host-${Math.floor(index / 3) % hosts}`;
  const grant = `grant-${Math.floor(index / 3)}`;
  const action = ['restart-begun', 'stop-begun', 'restart-ended'][index % 3] ?? '';
  wallMs += 10;
  const steps = ['journaled', 'draining', 'stopping', 'started', 'healthy', 'done'];
  const chained = chainRecord(links.get(host) ?? chainStart, {
    ...{ at: new Date(wallMs).toISOString(), serverTime: wallMs / 3, host, life: 'life' },
    ...{ actor: `agent ${host}`, action, subject: `${host}/web-${index % 40}`, service: 'web' },
    ...{ cause: `job ${host}_1`, wave: 'wave-1', grant },
    outcome: action === 'restart-ended' ? 'done' : null,
    details:
      action === 'restart-ended'
        ? {
            ...{ reason: '', verification: 'verified', attempt: 1 },
            steps: steps.map((step) => ({
              ...{ step, at: new Date(wallMs).toISOString(), serverMs: wallMs / 7 },
            })),
          }
        : { attempt: 1 },
  });
  links.set(host, chained);
  const { seq, hash, record } = chained;
  return { chain: host, life: 'life', seq, hash, record: { ...record }, proven: true };
};

const make = createCheckpointer({
  ...{ store, lease: taken.lease, key, wallNow: () => new Date(wallMs) },
});

/** Times of one batch each, in µs a record: of the first tenth of all, and of the last. */
const appended: number[] = [];
let checkpointMs = 0;
for (let index = 0; index < total; index += batch) {
  const rows = Array.from({ length: Math.min(batch, total - index) }, (_, n) =>
    recordOf(index + n),
  );
  const begin = performance.now();
  await store.db
    .transaction()
    .execute((transaction: typeof store.db) => appendAuditRecords(transaction, rows));
  appended.push(((performance.now() - begin) * 1000) / rows.length);
  if ((index + batch) % perCheckpoint === 0) {
    const before = performance.now();
    await make();
    checkpointMs = Math.max(checkpointMs, performance.now() - before);
  }
}
await make();
const tenth = Math.ceil(appended.length / 10);
const [first, last] = [median(appended.slice(0, tenth)), median(appended.slice(-tenth))];

const path = join(directory, 'bundle.jsonl');
const beginExport = performance.now();
await writeBundleFile(`${path}.gz`, wholeBundle(store, { directory, now: new Date(wallMs), key }));
const exportMs = performance.now() - beginExport;

/** What any verifier must do: read each line as JSON, and hash it. */
const beginPlain = performance.now();
let plainRecords = 0;
for await (const line of readBundleFile(`${path}.gz`)) {
  JSON.parse(line);
  createHash('sha256').update(line).digest('hex');
  plainRecords += 1;
}
const plainMs = performance.now() - beginPlain;
const beginVerify = performance.now();
const verified = await verifyBundle(readBundlePages(`${path}.gz`), {
  keys: new Map([[key.id, verifyKeyOf(key).publicKey]]),
  ...{ anchors: [], partial: false, underWayMs: 3_600_000 },
});
const verifyMs = performance.now() - beginVerify;
if (verified.findings.length > 0) throw new Error(verified.findings[0]?.what);
await store.close();
rmSync(directory, { recursive: true });

const perSecond = (count: number, ms: number): string => `${digits(count / ms, 0)} k`;
process.stdout.write(
  `${formatTable(
    ['what', 'ours', 'plain', 'ratio', 'goal'],
    [
      [`append, µs a record, the first tenth of ${total}`, digits(first), '', '', ''],
      ['the same, the last tenth', digits(last), digits(first), ratio(last, first), 'flat'],
      ['a checkpoint, at most', `${digits(checkpointMs)} ms`, '', '', ''],
      ['records a second: export', perSecond(total, exportMs), '', '', ''],
      [
        'records a second: verify',
        perSecond(verified.records, verifyMs),
        `read and hash: ${perSecond(plainRecords, plainMs)}`,
        ratio(plainMs, verifyMs),
        '50 k',
      ],
    ],
  )}\nMemory: ${digits(process.memoryUsage.rss() / 1e6, 0)} MB. Load of the machine: ${digits(loadavg()[0] ?? 0)}. Compare ratios, not times.\n`,
);
