import { describe, expect } from '@jest/globals';
import { fc, test } from '@fast-check/jest';
import { chainRecord, chainStart, verifyChain } from '../../src/audit/chain.ts';
import type { AuditEntry, ChainedRecord, StoredRecord } from '../../src/audit/chain.ts';

const entry = (n: number): AuditEntry => ({
  at: '2026-11-24T12:00:00.000Z',
  serverTime: n,
  host: 'h1',
  life: 'life-1',
  actor: 'agent',
  action: 'stop-begun',
  subject: 'h1/web-1',
  service: 'web',
  cause: 'job-1',
  wave: 'w1',
  grant: `g${n}`,
  outcome: null,
  details: { attempt: n, paths: ['/usr/lib/ü.so'] },
});

const chain = (length: number): ChainedRecord[] => {
  const records: ChainedRecord[] = [];
  let last = chainStart;
  for (let n = 1; n <= length; n++) {
    const next = chainRecord(last, entry(n));
    records.push(next);
    last = next;
  }
  return records;
};

const stored = (records: ChainedRecord[]): StoredRecord[] =>
  JSON.parse(JSON.stringify(records)) as StoredRecord[];

const length = fc.integer({ min: 2, max: 12 });

describe('audit chain', () => {
  test('an untouched chain is intact, through JSON too, and ends at its head', () => {
    const records = chain(5);
    const head = records[4];
    expect(verifyChain(stored(records))).toEqual({
      kind: 'intact',
      head: { seq: 5, hash: head?.hash },
    });
    expect(verifyChain([])).toEqual({ kind: 'intact', head: chainStart });
  });

  test('keys in another order are the same record', () => {
    const [first] = stored(chain(1));
    if (first === undefined) throw new Error('no record');
    const turned = Object.fromEntries(Object.entries(first.record).reverse());
    expect(verifyChain([{ ...first, record: turned }]).kind).toBe('intact');
  });

  test.prop([length, fc.nat(), fc.constantFrom('actor', 'serverTime', 'details', 'wave', 'extra')])(
    'an edit of any field is found at its record',
    (size, at, field) => {
      const records = stored(chain(size));
      const index = at % size;
      const victim = records[index];
      if (victim === undefined) throw new Error('no record');
      records[index] = { ...victim, record: { ...victim.record, [field]: 'forged' } };
      expect(verifyChain(records)).toMatchObject({ kind: 'broken', seq: index + 1 });
    },
  );

  test.prop([length, fc.nat()])('a rehashed edit is found at the next record', (size, at) => {
    const records = chain(size);
    const index = at % (size - 1);
    const before = index === 0 ? chainStart : records[index - 1];
    if (before === undefined) throw new Error('no record');
    records[index] = chainRecord(before, { ...entry(index + 1), actor: 'forger' });
    expect(verifyChain(stored(records))).toMatchObject({ kind: 'broken', seq: index + 2 });
  });

  test.prop([length, fc.nat()])('a deleted record is found', (size, at) => {
    const records = stored(chain(size));
    const index = at % (size - 1);
    records.splice(index, 1);
    expect(verifyChain(records)).toMatchObject({ kind: 'broken', seq: index + 1 });
  });

  test.prop([length, fc.nat(), fc.nat()])('swapped and doubled records are found', (size, a, b) => {
    const records = stored(chain(size));
    const i = a % size;
    const j = (i + 1 + (b % (size - 1))) % size;
    const [one, other] = [records[i], records[j]];
    if (one === undefined || other === undefined) throw new Error('no record');
    const swapped = records.with(i, other).with(j, one);
    expect(verifyChain(swapped).kind).toBe('broken');
    expect(verifyChain(records.toSpliced(i, 0, one)).kind).toBe('broken');
  });

  test('a cut end is found only against a head from elsewhere', () => {
    const records = chain(5);
    const head = records[4];
    if (head === undefined) throw new Error('no record');
    const cut = stored(records.slice(0, 3));
    expect(verifyChain(cut).kind).toBe('intact');
    expect(verifyChain(cut, { head })).toMatchObject({ kind: 'broken', seq: 4 });
    expect(verifyChain(stored(records), { head }).kind).toBe('intact');
    const third = records[2];
    if (third === undefined) throw new Error('no record');
    expect(verifyChain(stored(records), { head: third }).kind).toBe('intact');
    expect(verifyChain(stored(records), { head: { seq: 3, hash: 'f'.repeat(64) } })).toMatchObject({
      kind: 'broken',
      seq: 3,
    });
  });

  test('a part of a chain is verified from the link before it', () => {
    const records = chain(5);
    const second = records[1];
    if (second === undefined) throw new Error('no record');
    expect(verifyChain(stored(records.slice(2)), { from: second }).kind).toBe('intact');
    expect(verifyChain(stored(records.slice(2))).kind).toBe('broken');
  });
});
