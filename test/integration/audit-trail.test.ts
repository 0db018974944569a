import { generateKeyPairSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { execa } from 'execa';
import { readBundleFile, writeBundleFile } from '../../src/audit/bundle-file.ts';
import { chainRecord, chainStart, hashCanonical } from '../../src/audit/chain.ts';
import type { AuditEntry, Link } from '../../src/audit/chain.ts';
import type { Checkpoint } from '../../src/audit/checkpoint.ts';
import { wholeBundle } from '../../src/audit/export-bundle.ts';
import { sealRecords } from '../../src/audit/seal-records.ts';
import { verifyBundle } from '../../src/audit/verify-bundle.ts';
import type { VerifiedBundle } from '../../src/audit/verify-bundle.ts';
import { exportPublicKey, newSigningKey, verifyKeyOf } from '../../src/jobs/signing-key.ts';
import { appendAuditRecords, lastAuditLink } from '../../src/store/audit-records.ts';
import { auditSegments, dropSealed, saveSegment } from '../../src/store/audit-segments.ts';
import { anchoredUpTo } from '../../src/store/checkpoints.ts';
import { acquireLease, LeaseLost } from '../../src/store/lease.ts';
import type { Lease } from '../../src/store/lease.ts';
import { listAuditRecords } from '../../src/store/list-audit-records.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/open-store.ts';
import { manipulations } from '../audit/manipulations.ts';
import { newTrail, serverKey } from '../audit/sample-bundle.ts';
import { waitUntil } from '../bed/wait-until.ts';
import { createCopiedRecords } from '../../src/workers/control/copied-records.ts';
import { createCheckpointer } from '../../src/workers/control/make-checkpoints.ts';
import { startAnchors } from '../../src/workers/control/send-anchors.ts';

const everything = {
  ...{ container: undefined, service: undefined, wave: undefined, actor: undefined },
  ...{ outcome: undefined, since: undefined, until: undefined, after: 0 },
};
const wait = { deadlineMs: 20_000, everyMs: 20 };
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
    return {
      chain,
      life,
      seq: chained.seq,
      hash: chained.hash,
      record: { ...chained.record },
      proven: true,
    };
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
  underWayMs = 0,
): Promise<VerifiedBundle> =>
  verifyBundle(readBundleFile(path), { keys, anchors, partial, underWayMs });

/** Move away what checkpoints older than an hour have seen. */
const seal = async (): Promise<void> => {
  wallMs += 3_600_001;
  const sealed = await sealRecords({
    ...{ store, directory: join(directory, 'audit'), key, keys },
    ...{ before: wallMs - 3_600_000, now: new Date(wallMs) },
  });
  if (sealed === null) throw new Error('nothing was sealed');
  await saveSegment(store.db, sealed.segment, sealed.leaves);
  while (await dropSealed(store.db, sealed.segment, { rows: 2, unsent: Infinity }));
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
    // What began in the first ended in the second.
    const first = join(directory, 'audit', '000001.jsonl.gz');
    expect(await verified(first, true, [], 3_600_000)).toMatchObject({
      ...{ findings: [], records: 3, underWay: [{ line: 4 }] },
    });
    const second = join(directory, 'audit', '000002.jsonl.gz');
    expect(await verified(second, true)).toMatchObject({ findings: [], after: 1, records: 3 });
    expect((await verified(second)).findings).not.toEqual([]);
    expect(await verified(await exported())).toMatchObject({
      ...{ findings: [], records: 7, checkpoints: 3, after: 0 },
    });
  });

  test('leaves chains where they stand, though none of their records is in the store any more', async () => {
    await write('server', {}, {});
    await checkpointer()();
    await seal();
    expect(await recordsLeft()).toBe(0);
    const { seq, hash } = links.get('server') ?? chainStart;
    expect(await lastAuditLink(store.db, 'server', '')).toEqual({ seq, hash });
    await write('server', {});
    await checkpointer()();
    expect(await verified(await exported())).toMatchObject({ findings: [], records: 3 });
    // The first of them by itself is no whole trail, whatever its beginning says.
    const first = join(directory, 'audit', '000001.jsonl.gz');
    expect((await verified(first)).findings.map(({ what }) => what)).toEqual([
      'it is a part that was sealed away, not a whole trail',
    ]);
    expect((await verified(first, true)).findings).toEqual([]);
  });

  test('of what an export has not read yet ends the export: it signs nothing that is not whole', async () => {
    await write('h1', {}, {}, {});
    await checkpointer()();
    await write('h1', {});
    await checkpointer()();
    const place = { directory: join(directory, 'audit'), now: new Date(wallMs), key };
    const lines = wholeBundle(store, place);
    await lines.next();
    await lines.next();
    await seal();
    const rest = async (): Promise<void> => {
      for await (const line of lines) expect(line).not.toContain('"type":"end"');
    };
    await expect(rest()).rejects.toThrow(/not in the store/);
  });

  test('keeps checkpoints that are still to be sent outside', async () => {
    const make = checkpointer();
    for (let n = 0; n < 3; n += 1) {
      await write('h1', {});
      await make();
    }
    const drop = { position: 1, lastCheckpoint: { number: 3, hash: '' } };
    while (await dropSealed(store.db, drop, { rows: 1, unsent: 2 }));
    const left = await store.db.selectFrom('audit_checkpoints').select('number').execute();
    expect(left.map(({ number }) => number)).toEqual([2, 3]);
  });

  test('puts nothing over a sealed file of before a backup was restored', async () => {
    await write('h1', {}, {});
    await checkpointer()();
    await mkdir(join(directory, 'audit'));
    await writeFile(join(directory, 'audit', '000001.jsonl.gz'), 'of before');
    await seal();
    const files = await readdir(join(directory, 'audit'));
    expect(files).toHaveLength(2);
    const aside = files.find((file) => file !== '000001.jsonl.gz') ?? '';
    expect(await readFile(join(directory, 'audit', aside), 'utf8')).toBe('of before');
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
    const make = checkpointer();
    await write('h1', {});
    await make();
    const sender = startAnchors(
      store,
      { file, webhook: `http://127.0.0.1:${port}/` },
      (error, what) => errors.push(`${what}: ${String(error)}`),
    );
    await waitUntil('the webhook is known to be down', () => errors.length > 0, wait);
    // Each place goes at its own pace.
    const inFile = async (): Promise<boolean> =>
      (await anchoredUpTo(store.db, `file ${file}`)) === 1;
    await waitUntil('the file has the first', inFile, wait);
    expect(errors[0]).toMatch(/^sending checkpoints to webhook .*answered 503/);
    expect(await sender.unsent()).toBe(1);
    await write('h1', {});
    await make();
    down = false;
    await appendFile(file, '{"kind":"groundswell-che');
    sender.wake();
    await waitUntil('both have all', async () => (await sender.unsent()) === 3, wait);
    await sender.stop();
    outside.close();
    expect(got.map((body) => (JSON.parse(body) as Checkpoint).number)).toEqual([1, 2]);
    const lines = (await readFile(file, 'utf8')).trim().split('\n');
    expect(lines).toEqual([got[0], '{"kind":"groundswell-che', got[1]]);
    const anchors = got.map((line) => JSON.parse(line) as unknown);
    expect(await verified(await exported(), false, anchors)).toMatchObject({
      findings: [],
      anchored: 2,
    });
  });

  test('the system log is given each as one line that it does not cut, and not taken for told where it refuses', async () => {
    const bin = join(directory, 'bin');
    const got = join(directory, 'got');
    const down = join(directory, 'down');
    await mkdir(bin);
    const logger = `#!/bin/sh\n[ ! -e "${down}" ] || exit 1\nprintf '%s\\n' "$@" >>"${got}"\n`;
    await writeFile(join(bin, 'logger'), logger, { mode: 0o755 });
    await writeFile(down, '');
    const { PATH } = process.env;
    process.env['PATH'] = `${bin}:${PATH ?? ''}`;
    try {
      await write('h1', {});
      const checkpoint = await checkpointer()();
      const errors: string[] = [];
      const sender = startAnchors(store, { syslog: 'auth' }, (_, what) => errors.push(what));
      await waitUntil('the log is known to refuse', () => errors.length > 0, wait);
      expect(errors[0]).toContain('syslog auth');
      expect(await sender.unsent()).toBe(1);
      await rm(down);
      sender.wake();
      await waitUntil('it was sent', async () => (await sender.unsent()) === 2, wait);
      await sender.stop();
      const told = (await readFile(got, 'utf8')).trim().split('\n');
      expect(told.slice(0, -2)).toEqual([
        ...['--tag', 'groundswell-audit', '--priority', 'auth.notice'],
        ...['--socket-errors=on', '--size', '8192'],
      ]);
      expect(told.at(-2)).toBe('--');
      expect(JSON.parse(told.at(-1) ?? '')).toEqual(checkpoint);
    } finally {
      process.env['PATH'] = PATH;
    }
  });

  test('a redirection is no place, nor is a log that is not there', async () => {
    const outside = createServer((_, response) => {
      response.writeHead(302, { location: '/login' }).end();
    });
    await new Promise<void>((resolve) => outside.listen(0, '127.0.0.1', resolve));
    const { port } = outside.address() as AddressInfo;
    const errors: string[] = [];
    await write('h1', {});
    await checkpointer()();
    const sender = startAnchors(store, { webhook: `http://127.0.0.1:${port}/` }, (_, what) =>
      errors.push(what),
    );
    await waitUntil('it is known', () => errors.length > 0, wait);
    expect(await sender.unsent()).toBe(1);
    await sender.stop();
    outside.close();
  });
});

describe('what hosts hand over', () => {
  const copy = (more: object = {}, record: object = {}) => {
    const chained = chainRecord(chainStart, {
      ...{
        at: '2026-11-29T10:00:00.000Z',
        serverTime: 1,
        host: 'h1',
        life: 'l1',
        actor: 'agent h1',
      },
      ...{ action: 'noted', subject: 'h1', service: null, cause: null, wave: null, grant: null },
      ...{ outcome: null, details: {} },
      ...record,
    });
    const { seq, hash } = chained;
    return { chain: 'h1', life: 'l1', seq, hash, record: { ...chained.record }, ...more };
  };

  test.each<[string, ReturnType<typeof copy>]>([
    ['a hash that does not fit', copy({ hash: 'a'.repeat(64) })],
    [
      'a hash that is none, and would write lines of its own',
      copy({ hash: '"}\n{"type":"note"}\n' }),
    ],
    ['number 0', copy({ seq: 0 })],
    ['a gap', copy({ seq: 5 })],
    ['a record of another life', copy({}, { life: 'l2' })],
    ['a record of another host', copy({}, { host: 'h2' })],
    [
      'a record that follows another one',
      ((record: object) => copy({ record, hash: hashCanonical(record) }))({
        ...{ ...copy().record, previous: 'b'.repeat(64) },
      }),
    ],
    ['a time that is none', copy({}, { at: 'x' })],
    ['what cannot be hashed', copy({ record: { ...copy().record, subject: '\ud83d' } })],
  ])('%s: is shown, and spoils nobody’s trail', async (_, wrong) => {
    await write('h2', {});
    const copied = createCopiedRecords(store);
    const { judged, refused } = await copied.judge([wrong, copy({ seq: 2 })]);
    expect(judged.map(({ proven }) => proven)).toEqual([false, false]);
    // Once for each chain.
    expect(refused).toHaveLength(1);
    await appendAuditRecords(store.db, judged);
    await checkpointer()();
    expect(await verified(await exported())).toMatchObject({ findings: [], records: 1, chains: 1 });
    const shown = await listAuditRecords(store.db, { ...everything, limit: 10 });
    expect(shown.map(({ chain, proven }) => `${chain} ${proven}`)).toContain('h1 false');
  });

  /** Records of one chain, from the first on. */
  const following = (count: number): ReturnType<typeof copy>[] => {
    const copies: ReturnType<typeof copy>[] = [];
    let last: Link = chainStart;
    for (let n = 0; n < count; n += 1) {
      const record = { ...copy().record, seq: last.seq + 1, previous: last.hash };
      last = { seq: record.seq, hash: hashCanonical(record) };
      copies.push(copy({ ...last, record }));
    }
    return copies;
  };

  test.each([
    ['also where the server was restarted in between', true],
    ['where it was not', false],
  ])('one that came before its turn takes its place when that comes, %s', async (_, restarted) => {
    const copies = following(6);
    let copied = createCopiedRecords(store);
    const handOver = async (...seqs: number[]): Promise<boolean[]> => {
      if (restarted) copied = createCopiedRecords(store);
      const { judged } = await copied.judge(copies.filter(({ seq }) => seqs.includes(seq)));
      await appendAuditRecords(store.db, judged);
      return judged.map(({ proven }) => proven);
    };
    expect(await handOver(1, 2, 5)).toEqual([true, true, false]);
    // A checkpoint that has not seen it is over its place already.
    await write('h2', {});
    await checkpointer()();
    expect(await handOver(3, 4, 5, 6)).toEqual([true, true, true, true]);
    expect(await handOver(5)).toEqual([]);
    await checkpointer()();
    expect(await verified(await exported())).toMatchObject({ findings: [], records: 7, chains: 2 });
    const shown = await listAuditRecords(store.db, { ...everything, limit: 10 });
    expect(shown.filter(({ proven }) => !proven)).toEqual([]);
    await seal();
  });

  test('one that came before its turn takes its place, also of what is written at once', async () => {
    const copies = following(4);
    const order = [1, 2, 4, 3, 4];
    const { judged } = await createCopiedRecords(store).judge(
      order.flatMap((seq) => copies.filter((one) => one.seq === seq)),
    );
    await appendAuditRecords(store.db, judged);
    await checkpointer()();
    expect(await verified(await exported())).toMatchObject({ findings: [], records: 4 });
  });

  test('two records of one number: the second is told, once, and is in no trail', async () => {
    const [one, two] = following(2);
    const other = copy({}, { subject: 'another' });
    if (one === undefined || two === undefined) throw new Error('none');
    const reason = 'another record is on its chain under number 1';
    const fork = { kind: 'fork', host: 'h1', life: 'l1', seq: 1, reason };
    const copied = createCopiedRecords(store);
    // Of what is written at once, where none of it is in the store yet.
    const { judged, refused } = await copied.judge([one, other, other, two]);
    expect(judged.map(({ hash }) => hash)).toEqual([one.hash, two.hash]);
    expect(refused).toEqual([fork]);
    await appendAuditRecords(store.db, judged);
    expect(await copied.judge([other])).toEqual({ judged: [], refused: [] });
    expect(await createCopiedRecords(store).judge([one, other])).toEqual({
      judged: [],
      refused: [fork],
    });
    await checkpointer()();
    expect(await verified(await exported())).toMatchObject({ findings: [], records: 2 });
  });

  test('goes on its chain, also over a restart; what came already is passed over', async () => {
    const { judged } = await createCopiedRecords(store).judge([copy()]);
    expect(judged.map(({ proven }) => proven)).toEqual([true]);
    await appendAuditRecords(store.db, judged);
    expect(await createCopiedRecords(store).judge([copy()])).toEqual({ judged: [], refused: [] });
  });
});

test('who follows misses none, however many came', async () => {
  await write('h1', ...Array.from({ length: 12 }, () => ({})));
  const seqs = async (after: number): Promise<number[]> =>
    (await listAuditRecords(store.db, { ...everything, after, limit: 5 })).map(({ seq }) => seq);
  expect(await seqs(0)).toEqual([8, 9, 10, 11, 12]);
  expect(await seqs(2)).toEqual([3, 4, 5, 6, 7]);
});

describe('the other verifier', () => {
  const verifier = join(process.cwd(), 'test/audit/verify_bundle.py');
  const python = (
    path: string,
    believed = key,
  ): Promise<{ exitCode?: number | undefined; stdout: string }> =>
    execa('python3', [verifier, path, exportPublicKey(verifyKeyOf(believed))], {
      reject: false,
      all: true,
    });

  const there = ['/usr/bin/python3', '/usr/bin/openssl'].every((path) => existsSync(path));
  // Installed by `npm test` where it may; CI has them.
  const whereItRuns = there || process.env['CI'] === 'true' ? test : test.skip;

  const begun = { action: 'upgrade-begun', grant: 'g1' };
  const over = { action: 'upgrade-ended', grant: 'g1', outcome: 'done' };
  const serverSays = { ...over, action: 'grant-ended' };
  whereItRuns.each<[string, 0 | 1, [chain: string, entry: Partial<AuditEntry>][]]>([
    [
      'begun and ended',
      0,
      [
        ['h1', begun],
        ['h1', over],
        ['h1', begun],
        ['h1', over],
      ],
    ],
    [
      'begun twice and ended once',
      1,
      [
        ['h1', begun],
        ['h1', begun],
        ['h1', over],
        ['server', serverSays],
      ],
    ],
    [
      'begun by no grant',
      1,
      [
        ['h1', { ...begun, grant: null }],
        ['h1', { ...over, grant: null }],
      ],
    ],
    [
      'ended by another host',
      1,
      [
        ['h1', begun],
        ['h2', over],
      ],
    ],
    [
      'ended by the server, of which others say other things',
      0,
      [
        ['h1', begun],
        ['server', serverSays],
        ['server', over],
        ['h2', begun],
        ['h2', over],
      ],
    ],
  ])('agrees on what has an outcome: %s', async (_, exitCode, records) => {
    const trail = newTrail(key);
    for (const [chain, entry] of records) trail.record(chain, entry);
    trail.checkpoint();
    const path = join(directory, 'trail.jsonl');
    await writeFile(path, `${trail.whole().join('\n')}\n`);
    expect((await python(path)).exitCode).toBe(exitCode);
    expect((await verified(path)).findings).toHaveLength(exitCode);
  });

  whereItRuns.each(manipulations)('finds it, too: %s', async (_, lines) => {
    const path = join(directory, 'trail.jsonl');
    await writeFile(path, `${lines.join('\n')}\n`);
    const { exitCode, stdout } = await python(path, serverKey);
    expect([exitCode, stdout]).toEqual([1, expect.stringMatching(/^NOT INTACT: /)]);
  });

  whereItRuns('agrees that bytes which are not UTF-8 are none of a bundle', async () => {
    const path = join(directory, 'trail.jsonl');
    const trail = newTrail(key);
    trail.record('h1', { subject: '\ufffd' });
    trail.checkpoint();
    const text = `${trail.whole().join('\n')}\n`;
    await writeFile(path, text);
    expect((await python(path)).exitCode).toBe(0);
    const [before = '', after = ''] = text.split('\ufffd');
    await writeFile(
      path,
      Buffer.concat([Buffer.from(before), Buffer.of(0xff), Buffer.from(after)]),
    );
    expect((await python(path)).exitCode).toBe(1);
    await expect(verified(path)).rejects.toThrow('line 2 has bytes that are not UTF-8');
  });

  whereItRuns('agrees', async () => {
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
