import { z } from 'zod';
import type { HostId } from '../core/ids.ts';
import { ControlRecord } from '../core/messages.ts';
import { maxReportBytes, serverParty, signEnvelope, verifyEnvelope } from './envelope.ts';
import type { Verified } from './envelope.ts';
import { controlRecordKey, jobIdFor } from './queue-names.ts';
import type { SigningKey, VerifyKey } from './signing-key.ts';

const kind = 'control-record';
const version = 1;

/** A host's control record, signed, as the text that lies in Redis (R11). */
export const writeControlRecord = (
  hostId: HostId,
  record: ControlRecord,
  key: SigningKey,
): string =>
  JSON.stringify(
    signEnvelope(
      {
        version,
        kind,
        id: jobIdFor(hostId, record.number.join('.')),
        from: serverParty,
        to: hostId,
        issuedAt: record.serverTime,
        incarnation: record.incarnation ?? '',
        expiresAt: null,
        payload: record,
      },
      key,
    ),
  );

export type ReadRecord =
  { kind: 'record'; record: ControlRecord } | Exclude<Verified, { kind: 'valid' }>;

/** Whatever lies at a host's key, if the server wrote it for this host. An unreadable one means deny (R13). */
export const readControlRecord = (
  text: string,
  hostId: HostId,
  serverKeys: readonly VerifyKey[],
): ReadRecord => {
  const verified = verifyEnvelope(text, {
    recipient: hostId,
    keysOf: (from) => (from === serverParty ? serverKeys : []),
    maxBytes: maxReportBytes,
  });
  if (verified.kind !== 'valid') return verified;
  const { envelope } = verified;
  if (envelope.kind !== kind || envelope.version !== version)
    return {
      kind: 'malformed',
      reason: `want ${kind} of version ${version}, found ${envelope.kind} of version ${envelope.version}`,
    };
  const read = ControlRecord.safeParse(envelope.payload);
  return read.success
    ? { kind: 'record', record: read.data }
    : { kind: 'malformed', reason: z.prettifyError(read.error) };
};

/** The two calls of a Redis client that records need. */
export interface RecordStore {
  set: (key: string, value: string) => Promise<unknown>;
  exists: (key: string) => Promise<number>;
}

/** Put a record where its host reads it. Rejects while Redis is away: the host then denies by itself. */
export const putControlRecord = async (
  redis: RecordStore,
  hostId: HostId,
  record: ControlRecord,
  key: SigningKey,
): Promise<void> => {
  await redis.set(controlRecordKey(hostId), writeControlRecord(hostId, record, key));
};

/** Which hosts have no record in Redis, because it lost its data: they are to be renewed at once (R12). */
export const hostsWithoutRecord = async (
  redis: RecordStore,
  hostIds: readonly HostId[],
): Promise<HostId[]> => {
  const found = await Promise.all(hostIds.map((id) => redis.exists(controlRecordKey(id))));
  return hostIds.filter((_, index) => found[index] === 0);
};
