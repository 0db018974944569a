/** What was signed, or why it is not to be trusted. */
export type Verified = { ok: true; content: Uint8Array } | { ok: false; reason: string };

/** Checks an `InRelease` with the signature in it: gives only what is signed. */
export type VerifySignature = (signed: Uint8Array) => Promise<Verified>;

const begin = '-----BEGIN PGP SIGNED MESSAGE-----';
const signature = '-----BEGIN PGP SIGNATURE-----';

/** The text of a clear-signed message, its signature not checked (RFC 9580, 7): for files that are trusted as they lie there. */
export const unchecked: VerifySignature = (signed) => {
  const lines = Buffer.from(signed).toString('utf8').split(/\r?\n/);
  const from = lines.indexOf('');
  const to = lines.indexOf(signature);
  return Promise.resolve(
    lines[0] !== begin || from < 0 || to < from
      ? { ok: false, reason: 'it is no signed message' }
      : {
          ok: true,
          content: Buffer.from(
            lines
              .slice(from + 1, to)
              .map((line) => line.replace(/^- /, ''))
              .join('\n'),
          ),
        },
  );
};
