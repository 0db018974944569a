import { Readable } from 'node:stream';
import { linesOf } from '../lines-of.ts';
import type { VerifySignature } from './signed-text.ts';
import { stanzas } from './stanzas.ts';
import type { Suite } from './suite.ts';
import { suiteFields, suiteOf } from './suite.ts';

/** Bytes that are all here, for who reads them in pieces. */
export const once = (content: Uint8Array): AsyncIterable<Uint8Array> => Readable.from([content]);

/** What an `InRelease` tells of its suite; a text where that has no security updates. Throws where it is not to be trusted. */
export const readRelease = async (
  signed: Uint8Array,
  verify: VerifySignature,
): Promise<Suite | string> => {
  const verified = await verify(signed);
  if (!verified.ok) throw new Error(verified.reason);
  for await (const stanza of stanzas(linesOf(once(verified.content)), suiteFields))
    return suiteOf(stanza);
  throw new Error('it says nothing');
};
