import { createHash, sign, verify } from 'node:crypto';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import { HostId } from '../core/ids.ts';
import { Leader } from '../core/messages.ts';
import { readBoundedJson } from './bounded-json.ts';
import type { SigningKey, VerifyKey } from './signing-key.ts';

/** The server's name as a party. No host can have it: host ids do not begin with `@`. */
export const serverParty = '@server';

export const Party = z.union([HostId, z.literal(serverParty)]);
export type Party = z.infer<typeof Party>;

/** What every message wears (R1). Times are server time in ms (R14). */
export const Envelope = z.strictObject({
  /** Of the payload's schema; unknown ones are refused, not ignored (R6). */
  version: z.int().positive(),
  kind: z.string().regex(/^[a-z][a-z-]{0,63}$/),
  /** `<host or party>_<uuid>` (R2). */
  id: z.string().regex(/^[a-z0-9@][a-z0-9.-]{0,62}_[A-Za-z0-9.-]{1,100}$/),
  from: Party,
  to: Party,
  keyId: z.string().regex(/^[0-9a-f]{16}$/),
  issuedAt: z.number().min(0),
  /** The life of the host's journal that is spoken to, or that speaks. */
  incarnation: z.string().max(64),
  /** Of a job: who has put it in (R16). */
  leader: Leader.optional(),
  /** Null where the message never expires: reports (R8), the control record. */
  expiresAt: z.number().nullable(),
  payload: z.record(z.string(), z.unknown()),
  /** Base64 of the Ed25519 signature over the canonical JSON (RFC 8785) of all the rest. */
  signature: z.string().length(88),
});
export type Envelope = z.infer<typeof Envelope>;

export type Unsigned = Omit<Envelope, 'keyId' | 'signature'>;

/** What a job to a host may measure; what a host may say of itself is more: it has many containers. */
export const maxJobBytes = 256 * 1024;
export const maxReportBytes = 4 * 1024 * 1024;
const maxDepth = 32;

const canonical = (value: unknown): string => {
  const text = canonicalize(value);
  if (text === undefined) throw new Error('cannot be written as JSON');
  return text;
};

const without = (value: object, ...keys: string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)));

/**
 * SHA-256, in hex, of what a message says: everything but who has put it in, key id and signature, so that a message
 * signed anew by another leader, or after a key was rotated, is still "same id and same hash" (R5).
 */
export const contentHash = (message: Unsigned | Envelope): string =>
  createHash('sha256')
    .update(canonical(without(message, 'leader', 'keyId', 'signature')))
    .digest('hex');

const signatureOf = (content: object, key: SigningKey): string =>
  sign(null, Buffer.from(canonical(without(content, 'signature'))), key.privateKey).toString(
    'base64',
  );

/** Sign a message. Throws where it holds what JSON cannot carry (NaN, half a surrogate pair). */
export const signEnvelope = (message: Unsigned, key: SigningKey): Envelope => {
  const content = { ...message, keyId: key.id };
  return { ...content, signature: signatureOf(content, key) };
};

/** The same message, put in by this leader and under its key; its hash stays (R5). */
export const signAgain = (envelope: Envelope, leader: Leader, key: SigningKey): Envelope => {
  const content = { ...envelope, leader, keyId: key.id };
  return { ...content, signature: signatureOf(content, key) };
};

/** Who reads, whom it would believe, and how much it is ready to look at. */
export interface Reader {
  recipient: Party;
  /** The valid keys of a party: up to two, none where it is unknown or revoked. */
  keysOf: (from: Party) => readonly VerifyKey[];
  maxBytes?: number;
}

/** Everything but `valid` is R7: counted, never answered. */
export type Verified =
  | { kind: 'valid'; envelope: Envelope; hash: string }
  | { kind: 'unsigned' | 'wrong-recipient' | 'unknown-key' | 'malformed'; reason: string };

const signatureBytes = (text: string): Buffer | null => {
  const bytes = Buffer.from(text, 'base64');
  // Another spelling of the same bytes is not what was signed and sent.
  return bytes.length === 64 && bytes.toString('base64') === text ? bytes : null;
};

/** Whether a message, as text or parsed, is one that a party we know wrote to us. Never throws. */
export const verifyEnvelope = (raw: unknown, reader: Reader): Verified => {
  const read = readBoundedJson(raw, { maxBytes: reader.maxBytes ?? maxJobBytes, maxDepth });
  if (read.kind === 'beyond') return { kind: 'malformed', reason: read.reason };
  const parsed = Envelope.safeParse(read.value);
  if (!parsed.success) return { kind: 'malformed', reason: z.prettifyError(parsed.error) };
  const envelope = parsed.data;
  if (envelope.to !== reader.recipient)
    return { kind: 'wrong-recipient', reason: `for ${envelope.to}, this is ${reader.recipient}` };
  const key = reader.keysOf(envelope.from).find(({ id }) => id === envelope.keyId);
  if (key === undefined)
    return {
      kind: 'unknown-key',
      reason: `${envelope.from} has no valid key ${envelope.keyId} here`,
    };
  const signature = signatureBytes(envelope.signature);
  try {
    // What was received is checked, not what the schema made of it.
    const content = Buffer.from(canonical(without(read.value as object, 'signature')));
    if (signature === null || !verify(null, content, key.publicKey, signature))
      return { kind: 'unsigned', reason: `not signed by ${envelope.from}'s key ${key.id}` };
    return { kind: 'valid', envelope, hash: contentHash(envelope) };
  } catch (error) {
    return { kind: 'malformed', reason: String(error) };
  }
};
