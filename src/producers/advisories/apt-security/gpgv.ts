import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { execa } from 'execa';
import { errorText } from '../../../core/error-text.ts';
import type { VerifySignature } from './signed-text.ts';

const TIMEOUT_MS = 30_000;
const MOST_BYTES = 16 * 1024 * 1024;

/**
 * Checks signatures with `gpgv`, as apt 2 does: one of a key in the keyrings (files of binary keys, such as
 * /usr/share/keyrings/debian-archive-keyring.gpg) has to be good and none may be bad; those of keys that are not in them, or expired, do not count.
 */
export const gpgv =
  (keyrings: readonly string[], program = 'gpgv'): VerifySignature =>
  async (signed) => {
    for (const keyring of keyrings) {
      const missing = await access(keyring).then(() => null, errorText);
      if (missing !== null) return { ok: false, reason: `the keyring cannot be read: ${missing}` };
    }
    const named = keyrings.flatMap((keyring) => ['--keyring', resolve(keyring)]);
    const ended = await execa(program, ['--status-fd', '3', ...named, '--output', '-', '-'], {
      ...{ input: signed, stdio: ['pipe', 'pipe', 'pipe', 'pipe'], encoding: 'buffer' },
      ...{ reject: false, timeout: TIMEOUT_MS, maxBuffer: MOST_BYTES, extendEnv: false },
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8' },
    });
    // apt 3 has a program of its own for it, so that not every Debian has this one.
    if (ended.code === 'ENOENT')
      return { ok: false, reason: `${program} is not installed (package gpgv; with dnf gnupg2)` };
    const status = Buffer.from(ended.stdio[3]).toString('latin1');
    const found = new Set([...status.matchAll(/^\[GNUPG:\] (\w+)/gm)].map(([, word]) => word));
    const isGood = found.has('GOODSIG') && found.has('VALIDSIG') && !found.has('BADSIG');
    if (isGood && !ended.timedOut && !ended.isMaxBuffer) return { ok: true, content: ended.stdout };
    const why = ['BADSIG', 'EXPSIG', 'EXPKEYSIG', 'REVKEYSIG'].find((word) => found.has(word));
    if (why !== undefined) return { ok: false, reason: `its signature is not good (${why})` };
    if (found.has('NO_PUBKEY'))
      return { ok: false, reason: `no key of ${keyrings.join(', ')} has signed it` };
    const said = ended.failed && status === '' ? errorText(ended) : 'it has no good signature';
    return { ok: false, reason: `gpgv: ${said}` };
  };
