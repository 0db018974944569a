import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

/** The same where there is no place for what is needed: it is taken away at once. */
export const verifyOnce =
  (keyrings: readonly string[]): VerifySignature =>
  async (signed) => {
    const scratch = await mkdtemp(join(tmpdir(), 'groundswell-keys-'));
    try {
      return await verifyWith(keyrings, scratch)(signed);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  };
