import { expect, test } from '@jest/globals';
import { importPublicKey } from '../../src/jobs/signing-key.ts';

test.each(['', 'hostname', 'MCowBQYDK2VwAyEA'])('%j is no public key, in our words', (text) => {
  expect(() => importPublicKey(text)).toThrow(
    'the public key cannot be read: want base64 of an Ed25519 key (DER, SPKI)',
  );
});
