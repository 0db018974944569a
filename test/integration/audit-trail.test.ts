import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { execa } from 'execa';
import { readBundleFile, writeBundleFile } from '../../src/audit/bundle-file.ts';
import { chainRecord, chainStart } from '../../src/audit/chain.ts';
import type { AuditEntry, Link } from '../../src/audit/chain.ts';
import type { Checkpoint } from '../../src/audit/checkpoint.ts';
import { wholeBundle } from '../../src/audit/export-bundle.ts';
import { sealRecords } from '../../src/audit/seal-records.ts';
import { verifyBundle } from '../../src/audit/verify-bundle.ts';
import type { VerifiedBundle } from '../../src/audit/verify-bundle.ts';
import { exportPublicKey, newSigningKey, verifyKeyOf } from '../../src/jobs/signing-key.ts';
import { appendAuditRecords } from '../../src/store/audit-records.ts';
import { auditSegments, dropSealed, saveSegment } from '../../src/store/audit-segments.ts';
import { acquireLease, LeaseLost } from '../../src/store/lease.ts';
import type { Lease } from '../../src/store/lease.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/open-store.ts';
import { createCheckpointer } from '../../src/workers/control/make-checkpoints.ts';
import { createAnchorSender } from '../../src/workers/control/send-anchors.ts';

let directory: string;
let store: Store;
let lease: Lease;
let wallMs: number;
let links: Map<string, Link>;
const key = newSigningKey();
const keys = new Map([[key.id, verifyKeyOf(key).publicKey]]);

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gs-trail-'));
  store = await openStore(join(directory, 'store.sqlite'));
  const taken = await acquireLease(store.db, {
    ...{ databaseNow: store.databaseNow, holder: 'test', ttlMs: 60_000 },
  });
  if (taken.kind !== 'leader') throw new Error('somebody else leads');
  ({ lease } = taken);
  wallMs = Date.parse('2026-11-29T10:00:00Z');
  links = new Map();
});
afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true });
});

const checkpointer = (): (() => Promise<Checkpoint | null>) =>
  createCheckpointer({ store, lease, key, wallNow: () => new Date(wallMs) });

/** Append records to a host's chain, or the server's. */
const write = async (chain: string, ...entries: Partial<AuditEntry>[]): Promise<void> => {
  const life = chain === 'server' ? '' : 'l1';
  const rows = entries.map((entry) => {
    wallMs += 1000;
    const chained = chainRecord(links.get(chain) ?? chainStart, {
      ...{ at: new Date(wallMs).toISOString(), serverTime: wallMs / 7, life, actor: 'ann' },
      ...{
        host: chain === 'server' ? '@server' : chain,
        action: 'noted',
        subject: 'h1/wäb \u0001',
      },
      ...{
        service: null,
        cause: null,
        wave: null,
        grant: null,
        outcome: null,
        details: { n: 1e-7 },
      },
      ...entry,
    });
    links.set(chain, chained);
    return { chain, life, seq: chained.seq, hash: chained.hash, record: { ...chained.record } };
  });
  await appendAuditRecords(store.db, rows);
};

const exported = async (name = 'bundle.jsonl.gz'): Promise<string> => {
  const path = join(directory, name);
  const place = { directory: join(directory, 'audit'), now: new Date(wallMs), key };
  await writeBundleFile(path, wholeBundle(store, place));
  return path;
};

const verified = (
  path: string,
  partial = false,
  anchors: unknown[] = [],
): Promise<VerifiedBundle> =>
  verifyBundle(readBundleFile(path), { keys, anchors, partial, underWayMs: 0 });

/** Move away what checkpoints older than an hour have seen. */
const seal = async (): Promise<void> => {
  wallMs += 3_600_001;
  const sealed = await sealRecords({
    ...{ store, directory: join(directory, 'audit'), key, keys },
    ...{ before: wallMs - 3_600_000, now: new Date(wallMs) },
  });
  if (sealed === null) throw new Error('nothing was sealed');
  await saveSegment(store.db, sealed.segment, sealed.leaves);
  while (await dropSealed(store.db, sealed.segment, 2));
};

const recordsLeft = async (): Promise<number> =>
  (await store.db.selectFrom('audit_records').select('position').execute()).length;

test('checkpoints are made of what is new, and go on after a restart', async () => {
  const make = checkpointer();
  expect(await make()).toBeNull();
  await write('server', {}, {});
  await write('h1', {});
  expect(await make()).toMatchObject({ number: 1, chains: 2 });
  expect(await make()).toBeNull();
  await write('h2', {});
  const after = checkpointer();
  const [two] = await Promise.all([after(), after()]);
  expect(two).toMatchObject({ number: 2, chains: 3 });
  expect(await verified(await exported())).toMatchObject({
    findings: [],
    records: 4,
    checkpoints: 2,
  });
});

test('nobody but the leader makes one', async () => {
  await write('server', {});
  lease = { ...lease, epoch: lease.epoch - 1 };
  await expect(checkpointer()()).rejects.toThrow(LeaseLost);
  expect(await store.db.selectFrom('audit_checkpoints').selectAll().execute()).toEqual([]);
});

test('what was edited in the store is found in what is exported', async () => {
  await write('h1', {}, {}, {});
  await checkpointer()();
  await store.db
    .updateTable('audit_records')
    .set({ record: JSON.stringify({ seq: 2 }) })
    .where('seq', '=', 2)
    .execute();
  const { findings } = await verified(await exported());
  expect(findings.map(({ what }) => what).join('\n')).toMatch(/record 2 of the chain of h1/);
});

describe('sealing', () => {
  test('moves old records into files that verify by themselves and as one trail with the rest', async () => {
    const make = checkpointer();
    await write('server', {}, {});
    await write('h1', { action: 'restart-begun', grant: 'g1' });
    await make();
    await seal();
    expect(await recordsLeft()).toBe(0);
    await write('h1', { action: 'restart-ended', grant: 'g1', outcome: 'done' }, {});
    await write('h2', {});
    await make();
    await seal();
    await write('server', {});
    await make();
    expect(await recordsLeft()).toBe(1);
    const files = await readdir(join(directory, 'audit'));
    expect(files.sort()).toEqual(['000001.jsonl.gz', '000002.jsonl.gz']);
    const second = join(directory, 'audit', '000002.jsonl.gz');
    expect(await verified(second, true)).toMatchObject({ findings: [], after: 1, records: 3 });
    expect((await verified(second)).findings).not.toEqual([]);
    expect(await verified(await exported())).toMatchObject({
      ...{ findings: [], records: 7, checkpoints: 3, after: 0 },
    });
  });

  test('takes nothing away where it does not verify', async () => {
    await write('h1', {}, {});
    await checkpointer()();
    await store.db
      .updateTable('audit_records')
      .set({ hash: 'a'.repeat(64) })
      .where('seq', '=', 1)
      .execute();
    await expect(seal()).rejects.toThrow(/not sealed, since they do not verify/);
    expect(await recordsLeft()).toBe(2);
    expect(await auditSegments(store.db)).toEqual([]);
    expect(await readdir(join(directory, 'audit'))).toEqual([]);
  });

  test('a sealed file that is gone is named, and no bundle is written without it', async () => {
    await write('h1', {});
    await checkpointer()();
    await seal();
    await rm(join(directory, 'audit', '000001.jsonl.gz'));
    await expect(exported()).rejects.toThrow(/000001\.jsonl\.gz/);
  });

  test('one that was cut in the middle is no shorter trail', async () => {
    await write('h1', ...Array.from({ length: 200 }, () => ({})));
    await checkpointer()();
    const path = await exported();
    const bytes = await readFile(path);
    await writeFile(path, bytes.subarray(0, bytes.length / 2));
    await expect(verified(path)).rejects.toThrow(/unexpected end of file/);
  });
});

describe('anchors', () => {
  test('each place is sent every checkpoint, in order, also after it did not answer', async () => {
    const got: string[] = [];
    let down = true;
    const outside = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += String(chunk)));
      request.on('end', () => {
        response.statusCode = down ? 503 : 200;
        if (!down) got.push(body);
        response.end();
      });
    });
    await new Promise<void>((resolve) => outside.listen(0, '127.0.0.1', resolve));
    const { port } = outside.address() as AddressInfo;
    const file = join(directory, 'elsewhere', 'anchors.jsonl');
    const errors: string[] = [];
    const sender = createAnchorSender(
      store,
      { file, webhook: `http://127.0.0.1:${port}/` },
      (error, what) => errors.push(`${what}: ${String(error)}`),
    );
    const make = checkpointer();
    await write('h1', {});
    await make();
    await sender();
    expect(errors).toEqual([
      expect.stringMatching(/^sending checkpoints to webhook .*answered 503/),
    ]);
    await write('h1', {});
    await make();
    down = false;
    await sender();
    await sender();
    outside.close();
    expect(got.map((body) => (JSON.parse(body) as Checkpoint).number)).toEqual([1, 2]);
    const lines = (await readFile(file, 'utf8')).trim().split('\n');
    expect(lines).toEqual(got);
    const anchors = lines.map((line) => JSON.parse(line) as unknown);
    expect(await verified(await exported(), false, anchors)).toMatchObject({
      findings: [],
      anchored: 2,
    });
  });
});

describe('the other verifier', () => {
  const verifier = join(process.cwd(), 'test/audit/verify_bundle.py');
  const python = (path: string): Promise<{ exitCode?: number | undefined; stdout: string }> =>
    execa('python3', [verifier, path, exportPublicKey(verifyKeyOf(key))], {
      reject: false,
      all: true,
    });

  test('agrees', async () => {
    await write(
      'server',
      {},
      { details: { big: 1e21, small: 5e-324, third: 1 / 3, minus: -12.5 } },
    );
    await write('h1', { action: 'restart-begun', grant: 'g1' });
    const make = checkpointer();
    await make();
    await write('h1', { action: 'restart-ended', grant: 'g1' }, { subject: '\u{1f4a3} \u2028"\\' });
    await make();
    const path = await exported();
    expect(await python(path)).toMatchObject({
      exitCode: 0,
      stdout: 'intact: 5 records, 2 checkpoints',
    });

    const lines: string[] = [];
    for await (const line of readBundleFile(path)) lines.push(line);
    const wrong = [
      lines.map((line) => line.replace('"actor":"ann"', '"actor":"bob"')),
      lines.filter((line) => !line.includes('restart-begun')),
      lines.map((line) => line.replace('"n":1e-7', '"n":0.0000001')),
      lines.slice(0, -1),
    ];
    for (const [index, text] of wrong.entries()) {
      const changed = join(directory, `wrong-${index}.jsonl`);
      await writeFile(changed, `${text.join('\n')}\n`);
      expect((await python(changed)).exitCode).toBe(1);
      expect((await verified(changed)).findings).not.toEqual([]);
    }
    const { publicKey } = generateKeyPairSync('ed25519');
    const other = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
    const { exitCode } = await execa('python3', [verifier, path, other], { reject: false });
    expect(exitCode).toBe(1);
  });
});
