import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface SigningKey {
  /** Its public part, as gpgv reads it. */
  keyring: string;
  armored: string;
  /** A text with the signature in it. */
  sign: (text: string) => string;
  remove: () => void;
}

/** A key of a test's own. */
export const createSigningKey = (): SigningKey => {
  const home = mkdtempSync(join(tmpdir(), 'key-'));
  const gpg = (args: string[], input = ''): Buffer =>
    execFileSync('gpg', ['--homedir', home, '--batch', '--quiet', '--no-tty', ...args], {
      ...{ input, stdio: ['pipe', 'pipe', 'ignore'] },
    });
  gpg(['--passphrase', '', '--quick-gen-key', 'archive@example.org', 'ed25519', 'sign', 'never']);
  const [keyring, armored] = [join(home, 'archive.gpg'), join(home, 'archive.asc')];
  writeFileSync(keyring, gpg(['--export']));
  writeFileSync(armored, gpg(['--armor', '--export']));
  return {
    ...{ keyring, armored },
    sign: (text) => gpg(['--clearsign'], text).toString(),
    remove: () => {
      execFileSync('gpgconf', ['--homedir', home, '--kill', 'gpg-agent']);
      rmSync(home, { recursive: true });
    },
  };
};
