import { randomUUID } from 'node:crypto';
import { Queue, Worker } from 'bullmq';
import type { ControlRecord, Report, SequencedReport } from '../../../src/core/messages.ts';
import { connectWorker } from '../../../src/jobs/connections.ts';
import type { RedisAddress } from '../../../src/jobs/connections.ts';
import { putControlRecord } from '../../../src/jobs/control-record.ts';
import { serverParty, signEnvelope, verifyEnvelope } from '../../../src/jobs/envelope.ts';
import type { Envelope, Unsigned } from '../../../src/jobs/envelope.ts';
import { jobOptions } from '../../../src/jobs/job-options.ts';
import { fleetQueue, hostQueue, jobIdFor, queuePrefix } from '../../../src/jobs/queue-names.ts';
import { readReport } from '../../../src/jobs/read-report.ts';
import { newSigningKey, verifyKeyOf } from '../../../src/jobs/signing-key.ts';
import type { SigningKey, VerifyKey } from '../../../src/jobs/signing-key.ts';

/** The server's half over the real queues: reports in order and without gaps (R9), records that advance. */
export interface FakeServer {
  verifyKey: VerifyKey;
  hostKey: SigningKey;
  /** Applied reports, in order. */
  reports: SequencedReport[];
  /** Of one kind. */
  told: <Kind extends Report['kind']>(kind: Kind) => Extract<Report, { kind: Kind }>[];
  /** Ids of all sendings, refused ones too. */
  sendings: string[];
  incarnation: () => string | null;
  /** Put what the next records say besides their number. */
  record: Partial<ControlRecord>;
  /** Drop this many reports unread, as a lossy Redis would. */
  drop: { next: number };
  envelope: (kind: string, payload: Record<string, unknown>, uuid?: string) => Unsigned;
  send: (message: Unsigned, key?: SigningKey) => Promise<Envelope>;
  serverTime: () => number;
  stop: () => Promise<void>;
}

export const startFakeServer = async (
  address: RedisAddress,
  hostId: string,
): Promise<FakeServer> => {
  const redis = connectWorker(address, () => undefined);
  const key = newSigningKey();
  const hostKey = newSigningKey();
  const begun = performance.now();
  const serverTime = (): number => performance.now() - begun + 1_000;
  const reports: SequencedReport[] = [];
  const sendings: string[] = [];
  let n = 0;
  let incarnation: string | null = null;
  const acked = (): number => reports.filter((one) => one.incarnation === incarnation).length;
  const server: FakeServer = {
    verifyKey: verifyKeyOf(key),
    hostKey,
    reports,
    told: (kind) =>
      reports
        .map(({ report }) => report)
        .filter((report): report is Extract<Report, { kind: typeof kind }> => report.kind === kind),
    sendings,
    incarnation: () => incarnation,
    record: {},
    drop: { next: 0 },
    envelope: (kind, payload, uuid = randomUUID()) => ({
      ...{ version: 1, kind, id: jobIdFor(hostId, uuid), from: serverParty, to: hostId },
      ...{ issuedAt: serverTime(), incarnation: incarnation ?? '' },
      ...{ expiresAt: serverTime() + 60_000, payload },
    }),
    send: async (message, by = key) => {
      const envelope = signEnvelope({ ...message, leader: [1, 1] }, by);
      await queue.add(envelope.kind, envelope, { ...jobOptions, jobId: envelope.id });
      return envelope;
    },
    serverTime,
    stop: async () => {
      clearInterval(renewing);
      await worker.close();
      await queue.close();
      redis.disconnect();
    },
  };
  const publish = async (): Promise<void> => {
    n += 1;
    const record: ControlRecord = {
      number: [1, 1, n],
      ...{ serverTime: serverTime(), incarnation, ackedSeq: acked() },
      ...{ pauses: [], freezes: [], excluded: false, voids: [], suspects: [], parked: [] },
      ...server.record,
    };
    await putControlRecord(redis, hostId, record, key);
  };
  const name = hostQueue(hostId);
  const queue = new Queue(name, { connection: redis, prefix: queuePrefix(name) });
  const worker = new Worker(
    fleetQueue,
    async (job) => {
      sendings.push(String(job.id));
      if (server.drop.next > 0) {
        server.drop.next -= 1;
        return;
      }
      const verified = verifyEnvelope(job.data, {
        recipient: serverParty,
        keysOf: () => [verifyKeyOf(hostKey)],
        maxBytes: 4 * 1024 * 1024,
      });
      if (verified.kind !== 'valid') throw new Error(`${verified.kind}: ${verified.reason}`);
      const read = readReport(verified.envelope);
      if (read.kind !== 'report') throw new Error(read.reason);
      const { message } = read;
      if (message.incarnation !== incarnation && message.seq === 1)
        incarnation = message.incarnation;
      if (message.incarnation !== incarnation || message.seq !== acked() + 1) return;
      reports.push(message);
      await publish();
    },
    { connection: redis, prefix: queuePrefix(fleetQueue), concurrency: 1 },
  );
  queue.on('error', () => undefined);
  worker.on('error', () => undefined);
  await publish();
  const renewing = setInterval(() => {
    publish().catch(() => undefined);
  }, 200);
  return server;
};
