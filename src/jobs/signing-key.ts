import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** The half of an Ed25519 key pair (RFC 8032) that signs; `id` names the pair. */
export interface SigningKey {
  id: string;
  privateKey: KeyObject;
}

/** The half that others know. */
export interface VerifyKey {
  id: string;
  publicKey: KeyObject;
}

/** A key's name: the first 16 hex digits of the SHA-256 of its public half (DER, SPKI). */
export const keyIdOf = (publicKey: KeyObject): string =>
  createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 16);

/** A new pair from the system's randomness. */
export const newSigningKey = (): SigningKey => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return { id: keyIdOf(publicKey), privateKey };
};

export const verifyKeyOf = ({ id, privateKey }: SigningKey): VerifyKey => ({
  id,
  publicKey: createPublicKey(privateKey),
});

const onlyEd25519 = (key: KeyObject, what: string): KeyObject => {
  if (key.asymmetricKeyType !== 'ed25519')
    throw new Error(`${what} is a key of type ${String(key.asymmetricKeyType)}: want ed25519`);
  return key;
};

/** Base64 of the public half (DER, SPKI): what enrolment carries. */
export const exportPublicKey = ({ publicKey }: VerifyKey): string =>
  publicKey.export({ type: 'spki', format: 'der' }).toString('base64');

/** Reads what `exportPublicKey` wrote. Throws on anything that is no Ed25519 public key. */
export const importPublicKey = (base64: string): VerifyKey => {
  let read: KeyObject;
  try {
    read = createPublicKey({ key: Buffer.from(base64, 'base64'), type: 'spki', format: 'der' });
  } catch (error) {
    // What OpenSSL says of it is for who knows OpenSSL.
    throw new Error('the public key cannot be read: want base64 of an Ed25519 key (DER, SPKI)', {
      cause: error,
    });
  }
  const publicKey = onlyEd25519(read, 'the public key');
  return { id: keyIdOf(publicKey), publicKey };
};

/** PEM (PKCS #8) of the private half: for a file that only its owner may read. */
export const exportPrivateKey = ({ privateKey }: SigningKey): string =>
  privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

/** Reads what `exportPrivateKey` wrote. Throws on anything that is no Ed25519 private key. */
export const importPrivateKey = (pem: string): SigningKey => {
  const privateKey = onlyEd25519(createPrivateKey(pem), 'the private key');
  return { id: keyIdOf(createPublicKey(privateKey)), privateKey };
};
