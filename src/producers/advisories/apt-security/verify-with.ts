import { mkdir } from 'node:fs/promises';
import { errorText } from '../../../core/error-text.ts';
import { gpgv } from './gpgv.ts';
import { binaryKeyrings, ownKeyrings } from './keyrings.ts';
import type { VerifySignature } from './signed-text.ts';

/**
 * Checks signatures with these keyrings, or where none are named with those of distributors that this machine has. What is
 * needed for it beside them is written to `scratch`.
 */
export const verifyWith =
  (keyrings: readonly string[] | undefined, scratch: string): VerifySignature =>
  async (signed) => {
    try {
      const named = keyrings ?? (await ownKeyrings());
      if (named.length === 0)
        return { ok: false, reason: 'there is no keyring to check its signature with' };
      await mkdir(scratch, { recursive: true, mode: 0o700 });
      return await gpgv(await binaryKeyrings(named, scratch))(signed);
    } catch (error) {
      return { ok: false, reason: errorText(error) };
    }
  };
