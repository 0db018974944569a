import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../../../core/error-code.ts';

const MOST_BYTES = 16 * 1024 * 1024;
const ARMORED = /-----BEGIN PGP PUBLIC KEY BLOCK-----([^]*?)-----END PGP PUBLIC KEY BLOCK-----/g;

/** The keys of an armored text (RFC 9580, 6.2): what stands between the headers and the checksum. */
const unarmored = (text: string): Buffer[] =>
  [...text.matchAll(ARMORED)].map(([, block = '']) => {
    const body = block.replaceAll('\r', '').replace(/^[^]*?\n[ \t]*\n/, '');
    return Buffer.from(body.replace(/\n=[^]*$/, ''), 'base64');
  });

/**
 * Keyrings as `gpgv` can read them: those that are armored, as `.asc` files in /etc/apt/keyrings are, are written to
 * `directory` in binary form. Throws where one cannot be read.
 */
export const binaryKeyrings = async (
  keyrings: readonly string[],
  directory: string,
): Promise<string[]> =>
  Promise.all(
    keyrings.map(async (path, number) => {
      const content = await readFile(path);
      if (content.length > MOST_BYTES) throw new Error(`${path} is too large for a keyring`);
      const keys = unarmored(content.toString('latin1'));
      if (keys.length === 0) return path;
      const binary = join(directory, `keyring-${number}.gpg`);
      await writeFile(binary, Buffer.concat(keys));
      return binary;
    }),
  );

const namesIn = async (directory: string): Promise<string[]> => {
  try {
    return (await readdir(directory)).sort();
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
};

/** The keyrings of distributors that this machine has, whatever distribution it runs itself. */
export const ownKeyrings = async (): Promise<string[]> => {
  const trusted = '/etc/apt/trusted.gpg.d';
  const shared = '/usr/share/keyrings';
  return [
    ...(await namesIn(trusted))
      .filter((name) => /\.(gpg|asc)$/.test(name))
      .map((name) => join(trusted, name)),
    ...(await namesIn(shared))
      .filter((name) => /^(debian|ubuntu)-(archive-keyring|pro-\S*)\.(gpg|asc)$/.test(name))
      .map((name) => join(shared, name)),
  ];
};
