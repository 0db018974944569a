import { fc, test as property } from '@fast-check/jest';
import { describe, expect, test } from '@jest/globals';
import {
  contentHash,
  maxJobBytes,
  serverParty,
  signAgain,
  signEnvelope,
  verifyEnvelope,
} from '../../src/jobs/envelope.ts';
import type { Envelope, Unsigned } from '../../src/jobs/envelope.ts';
import { newSigningKey, verifyKeyOf } from '../../src/jobs/signing-key.ts';

const server = newSigningKey();
const serverNext = newSigningKey();
const host = newSigningKey();

const keysOf = (from: string) =>
  from === serverParty
    ? [verifyKeyOf(server), verifyKeyOf(serverNext)]
    : from === 'web-1'
      ? [verifyKeyOf(host)]
      : [];
const reader = { recipient: 'web-1', keysOf };

const message: Unsigned = {
  version: 1,
  kind: 'restart-batch',
  id: 'web-1_0b6b7d3c-9a70-4a3e-8d2f-3c3f3f1f0f11',
  from: serverParty,
  to: 'web-1',
  issuedAt: 1000,
  incarnation: 'i1',
  expiresAt: 31_000,
  payload: { waveId: 'w1', grants: [{ grantId: 'g1', container: 'web', deep: [1, null, 'ü'] }] },
};
const signed = signEnvelope(message, server);

describe('a message that the server signed', () => {
  test('is valid, as an object, as text, and with its keys in another order', () => {
    const turned = Object.fromEntries(Object.entries(signed).reverse());
    for (const raw of [signed, JSON.stringify(signed), turned, JSON.stringify(turned)])
      expect(verifyEnvelope(raw, reader)).toEqual({
        kind: 'valid',
        envelope: signed,
        hash: contentHash(signed),
      });
  });

  test('is valid under either of two keys, and its hash stays when it is signed anew', () => {
    const again = signAgain(signed, [1, 2], serverNext);
    expect(again.signature).not.toBe(signed.signature);
    const verified = verifyEnvelope(again, reader);
    expect(verified).toMatchObject({ kind: 'valid', hash: contentHash(signed) });
  });

  test('is for its recipient alone', () => {
    expect(verifyEnvelope(signed, { ...reader, recipient: 'web-2' }).kind).toBe('wrong-recipient');
  });

  test('is not believed once its key is not valid any more', () => {
    expect(verifyEnvelope(signed, { ...reader, keysOf: () => [] }).kind).toBe('unknown-key');
    expect(
      verifyEnvelope(signed, { ...reader, keysOf: () => [verifyKeyOf(serverNext)] }).kind,
    ).toBe('unknown-key');
  });
});

describe('forgeries', () => {
  test('a host cannot speak for the server, nor name the server key while signing with its own', () => {
    expect(verifyEnvelope(signEnvelope(message, host), reader).kind).toBe('unknown-key');
    const posing = { ...signEnvelope(message, host), keyId: server.id };
    expect(verifyEnvelope(posing, reader).kind).toBe('unsigned');
  });

  test('a signature of one message does not fit another one', () => {
    const other = signEnvelope({ ...message, id: 'web-1_other' }, server);
    expect(verifyEnvelope({ ...other, signature: signed.signature }, reader).kind).toBe('unsigned');
  });

  test.each<[keyof Unsigned, unknown]>([
    ['version', 2],
    ['kind', 'host-upgrade'],
    ['id', 'web-2_0b6b7d3c'],
    ['from', 'web-2'],
    ['to', 'web-2'],
    ['issuedAt', 2_000],
    ['incarnation', 'i2'],
    ['expiresAt', 31_001],
    ['expiresAt', null],
  ])('a signature is of each field: %s altered to %j is not signed', (field, value) => {
    // By whoever would take it as it stands now: another host, or one that knows the key by another name.
    const altered = { ...signed, [field]: value };
    const anybody = { recipient: altered.to, keysOf: () => [verifyKeyOf(server)] };
    expect(verifyEnvelope(signed, { ...anybody, recipient: signed.to }).kind).toBe('valid');
    expect(verifyEnvelope(altered, anybody).kind).toBe('unsigned');
  });

  test('another spelling of the same signature is refused', () => {
    // 64 bytes leave four bits of the last base64 digit unused.
    const digit = signed.signature.charAt(85);
    const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
    const twin = digits.charAt(digits.indexOf(digit) ^ 1);
    const respelled = `${signed.signature.slice(0, 85)}${twin}==`;
    expect(Buffer.from(respelled, 'base64')).toEqual(Buffer.from(signed.signature, 'base64'));
    expect(verifyEnvelope({ ...signed, signature: respelled }, reader).kind).toBe('unsigned');
  });

  test('an added, removed or foreign field is refused', () => {
    expect(verifyEnvelope({ ...signed, more: 1 }, reader).kind).toBe('malformed');
    const less: Partial<Envelope> = { ...signed };
    delete less.expiresAt;
    expect(verifyEnvelope(less, reader).kind).toBe('malformed');
    const polluted = JSON.stringify(signed).replace('"waveId"', '"__proto__":{"x":1},"waveId"');
    expect(verifyEnvelope(polluted, reader).kind).toBe('unsigned');
  });

  test('the last of doubled keys counts, and it is what must be signed', () => {
    const text = JSON.stringify(signed);
    expect(verifyEnvelope(text.replace('{', '{"to":"web-2",'), reader).kind).toBe('valid');
    expect(verifyEnvelope(text.replace(/}$/, ',"to":"web-2"}'), reader).kind).toBe(
      'wrong-recipient',
    );
    expect(verifyEnvelope(text.replace(/}$/, ',"issuedAt":1}'), reader).kind).toBe('unsigned');
  });

  test('a host called like the server cannot be', () => {
    expect(verifyEnvelope({ ...signed, from: '@web-1' }, reader).kind).toBe('malformed');
  });
});

describe('what is too much', () => {
  test('long text, long values and deep nesting are refused without harm', () => {
    const long = signEnvelope({ ...message, payload: { text: 'x'.repeat(maxJobBytes) } }, server);
    expect(verifyEnvelope(long, reader)).toMatchObject({
      kind: 'malformed',
      reason: `longer than ${maxJobBytes} bytes`,
    });
    expect(verifyEnvelope(JSON.stringify(long), reader).kind).toBe('malformed');
    expect(verifyEnvelope(long, { ...reader, maxBytes: 2 * maxJobBytes }).kind).toBe('valid');
    const many = { ...signed, payload: { list: new Array(maxJobBytes).fill(0) } };
    expect(verifyEnvelope(many, reader).kind).toBe('malformed');
    const nested = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    expect(verifyEnvelope(nested, reader)).toMatchObject({ kind: 'malformed' });
    const deep: unknown = JSON.parse(`{"a":${nested}}`);
    expect(verifyEnvelope({ ...signed, payload: deep }, reader)).toEqual({
      kind: 'malformed',
      reason: 'nested deeper than 32 levels',
    });
  });

  test('what is no JSON, no object, or holds what canonical JSON cannot', () => {
    for (const raw of ['', '{', 'null', '[]', null, undefined, 7, [], {}, { signature: 'x' }])
      expect(verifyEnvelope(raw, reader).kind).toBe('malformed');
    const half = { ...signed, payload: { text: '\ud800' } };
    expect(verifyEnvelope(half, reader).kind).toBe('malformed');
    const infinite = JSON.stringify(signed).replace('"i1"', '"i1"').replace('[1,', '[1e999,');
    expect(verifyEnvelope(infinite, reader).kind).toBe('malformed');
    expect(() => signEnvelope({ ...message, payload: { x: NaN } }, server)).toThrow('NaN');
  });
});

/** All paths to leaves of a value. */
const leaves = (value: unknown, path: (string | number)[] = []): (string | number)[][] =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([key, part]) => leaves(part, [...path, key]))
    : [path];

const replaceAt = (value: unknown, path: (string | number)[], by: unknown): unknown => {
  const [key, ...rest] = path;
  if (key === undefined) return by;
  const copy = (
    Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) }
  ) as Record<string, unknown>;
  copy[key] = replaceAt(copy[key], rest, by);
  return copy;
};

const valueAt = (value: unknown, path: (string | number)[]): unknown =>
  path.reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], value);

property.prop([fc.constantFrom(...leaves(signed)), fc.jsonValue({ maxDepth: 2 })])(
  'any leaf altered to anything else is never valid',
  (path, by) => {
    fc.pre(JSON.stringify(by) !== JSON.stringify(valueAt(signed, path)));
    expect(verifyEnvelope(replaceAt(signed, path, by), reader).kind).not.toBe('valid');
  },
);

property.prop([fc.nat(), fc.integer({ min: 0x20, max: 0x7e })])(
  'any character of the text altered is never another valid message',
  (at, code) => {
    const text = JSON.stringify(signed);
    const place = at % text.length;
    const altered = text.slice(0, place) + String.fromCharCode(code) + text.slice(place + 1);
    const verified = verifyEnvelope(altered, reader);
    if (verified.kind === 'valid') expect(verified.envelope).toEqual(signed);
  },
);

property.prop([fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue({ maxDepth: 3 }))])(
  'any payload goes through JSON and back, and stays valid',
  (payload) => {
    fc.pre(!Object.hasOwn(payload, '__proto__'));
    const envelope = signEnvelope({ ...message, payload }, server);
    const verified = verifyEnvelope(JSON.stringify(envelope), reader);
    expect(verified.kind).toBe('valid');
    const { envelope: received } = verified as { envelope: Envelope };
    expect(received.payload).toEqual(JSON.parse(JSON.stringify(payload)));
  },
);
