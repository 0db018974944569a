import { describe, expect, test } from '@jest/globals';
import type { ControlRecord, Report } from '../../src/core/messages.ts';
import { advisoryPublishedJob } from '../../src/jobs/advisory-published.ts';
import { readControlRecord, writeControlRecord } from '../../src/jobs/control-record.ts';
import { serverParty, signEnvelope, verifyEnvelope } from '../../src/jobs/envelope.ts';
import type { Envelope } from '../../src/jobs/envelope.ts';
import { createErrorRate } from '../../src/jobs/error-rate.ts';
import type { ErrorSummary } from '../../src/jobs/error-rate.ts';
import {
  advisoriesQueue,
  controlRecordKey,
  fleetQueue,
  hostQueue,
  jobIdFor,
  jobKey,
  presenceKey,
  queuePrefix,
} from '../../src/jobs/queue-names.ts';
import { readHostJob } from '../../src/jobs/read-host-job.ts';
import { readReport, writeReport } from '../../src/jobs/read-report.ts';
import {
  exportPrivateKey,
  exportPublicKey,
  importPrivateKey,
  importPublicKey,
  newSigningKey,
  verifyKeyOf,
} from '../../src/jobs/signing-key.ts';

const key = newSigningKey();

test('names and keys of queues are those that a host’s Redis user may use', () => {
  expect(`${queuePrefix(hostQueue('h1'))}:${hostQueue('h1')}`).toBe('gw:{h1}:host-h1');
  expect(`${queuePrefix(fleetQueue)}:${fleetQueue}`).toBe('gw:{fleet}:fleet');
  expect(queuePrefix(advisoriesQueue)).toBe('gw:{advisories}');
  expect(controlRecordKey('h1')).toBe('gw:{h1}:host-h1:control');
  expect(presenceKey('h1')).toBe('gw:presence:h1');
  expect(jobKey('fleet', jobIdFor('h1', 'u'))).toBe('gw:{fleet}:fleet:h1_u');
});

test('keys go through their texts and back under the same name', () => {
  expect(importPrivateKey(exportPrivateKey(key)).id).toBe(key.id);
  expect(importPublicKey(exportPublicKey(verifyKeyOf(key))).id).toBe(key.id);
  expect(() => importPublicKey('AAAA')).toThrow();
});

const envelopeOf = (part: Partial<Envelope>): Envelope =>
  signEnvelope(
    {
      version: 1,
      kind: 'restart-batch',
      id: 'h1_u',
      from: serverParty,
      to: 'h1',
      issuedAt: 0,
      incarnation: 'i',
      expiresAt: 5,
      payload: {},
      ...part,
    },
    key,
  );

const grant = {
  grantId: 'g1',
  container: 'web-1',
  service: 'web',
  settingsHash: 'h',
  expect: { kind: 'instance', instance: { bootId: 'b', initPid: 2, startTime: '3' } },
  attempt: 1,
  beginBefore: 30_000,
  deadline: 600_000,
  byHand: false,
  onlyIfBroken: false,
  patched: null,
};

describe('a job to a host (R6)', () => {
  test('is read when kind, version and payload are known', () => {
    const payload = { waveId: 'w', grants: [grant] };
    expect(readHostJob(envelopeOf({ payload }))).toEqual({
      job: { kind: 'restart-batch', payload },
      expiresAt: 5,
    });
    const observe = { kind: 'observe-host', version: 2, payload: { refresh: true } };
    expect(readHostJob(envelopeOf(observe)).job).toEqual({ kind: 'observe-host', refresh: true });
    const upgrade = {
      waveId: 'w',
      grantId: 'g',
      mode: 'packages',
      packages: [{ name: 'libssl3', want: 'at-least', version: '3.0' }],
      allowRemove: false,
      beginBefore: 1,
      deadline: 2,
      services: ['web'],
    };
    expect(readHostJob(envelopeOf({ kind: 'host-upgrade', payload: upgrade })).job).toEqual({
      kind: 'host-upgrade',
      payload: upgrade,
    });
  });

  test('of another kind or version, without expiry, or unreadable, ends the grants that can be read', () => {
    const payload = { waveId: 'w', grants: [grant] };
    for (const part of [
      { kind: 'restart-everything', payload },
      { version: 2, payload },
      { expiresAt: null, payload },
      { payload: { ...payload, surprise: true } },
    ])
      expect(readHostJob(envelopeOf(part)).job).toMatchObject({ kind: 'unusable', grants: ['g1'] });
    expect(
      readHostJob(envelopeOf({ kind: 'host-upgrade', payload: { grantId: 'g2' } })).job,
    ).toMatchObject({ kind: 'unusable', grants: ['g2'] });
    expect(readHostJob(envelopeOf({ payload: { grants: 'all' } })).job).toMatchObject({
      kind: 'unusable',
      grants: [],
    });
  });
});

describe('a report', () => {
  const report: Report = { kind: 'restart-progress', grantId: 'g1', step: 'drained', at: 7 };
  const message = {
    host: 'h1',
    incarnation: 'i',
    seq: 3,
    acked: 0,
    echo: [1, 2, 3],
    report,
  } as const;

  test('goes through its envelope and back', () => {
    const sent = signEnvelope(
      writeReport({ ...message, acked: 0, echo: [1, 2, 3] }, { uuid: 'u', issuedAt: 1 }),
      key,
    );
    expect(sent).toMatchObject({ id: 'h1_u', from: 'h1', to: serverParty, expiresAt: null });
    const verified = verifyEnvelope(JSON.stringify(sent), {
      recipient: serverParty,
      keysOf: () => [verifyKeyOf(key)],
    });
    expect(verified.kind).toBe('valid');
    expect(readReport(sent)).toEqual({ kind: 'report', message });
  });

  test('of unknown kind or version, or from no host, or with another kind inside, is unusable', () => {
    const payload = { seq: 3, acked: 0, echo: [1, 2, 3], report };
    const good = { kind: 'restart-progress', from: 'h1', to: serverParty, payload };
    expect(readReport(envelopeOf(good)).kind).toBe('report');
    for (const part of [
      { kind: 'toString' },
      { kind: 'host-observed' },
      { version: 9 },
      { from: serverParty },
      { payload: { ...payload, seq: 0 } },
    ])
      expect(readReport(envelopeOf({ ...good, ...part })).kind).toBe('unusable');
  });
});

describe('a control record (R11)', () => {
  const record: ControlRecord = {
    number: [1, 2, 3],
    serverTime: 99,
    incarnation: 'i',
    ackedSeq: 4,
    copied: 2,
    pauses: [{ level: 'fleet' }],
    freezes: [],
    excluded: false,
    voids: ['g1'],
    suspects: [],
    parked: [],
  };
  const text = writeControlRecord('h1', record, key);

  test('is for its host alone, and signed', () => {
    const keys = [verifyKeyOf(key)];
    expect(readControlRecord(text, 'h1', keys)).toEqual({ kind: 'record', record });
    expect(readControlRecord(text, 'h2', keys).kind).toBe('wrong-recipient');
    expect(readControlRecord(text.replace('"ackedSeq":4', '"ackedSeq":5'), 'h1', keys).kind).toBe(
      'unsigned',
    );
    expect(readControlRecord(text, 'h1', [verifyKeyOf(newSigningKey())]).kind).toBe('unknown-key');
    expect(readControlRecord('', 'h1', keys).kind).toBe('malformed');
  });

  test('a rightly signed job is no control record', () => {
    const job = JSON.stringify(envelopeOf({ payload: record }));
    expect(readControlRecord(job, 'h1', [verifyKeyOf(key)]).kind).toBe('malformed');
  });
});

test('an advisory is named by feed, id and content hash', () => {
  const payload = { feed: 'debian', advisoryId: 'DSA-1-1', contentHash: 'a'.repeat(64) };
  expect(advisoryPublishedJob.payload.safeParse(payload).success).toBe(true);
  expect(advisoryPublishedJob.payload.safeParse({ ...payload, contentHash: 'a' }).success).toBe(
    false,
  );
});

test('a flood of errors is told once a period, and known as one', () => {
  let now = 0;
  const said: ErrorSummary[] = [];
  const errors = createErrorRate({
    nowMs: () => now,
    everyMs: 1_000,
    limit: 10,
    say: (summary) => said.push(summary),
  });
  for (let count = 0; count < 10; count += 1) {
    now += 99;
    errors.hear(new Error('away'));
  }
  expect(errors.isSpinning()).toBe(false);
  errors.hear('once more');
  expect(errors.isSpinning()).toBe(true);
  expect(said).toEqual([{ message: 'away', count: 1 }]);
  now += 1_000;
  expect(errors.isSpinning()).toBe(false);
  errors.hear('later');
  expect(said[1]).toEqual({ message: 'later', count: 11 });
});
