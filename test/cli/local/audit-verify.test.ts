import { Command } from 'commander';
import { expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { registerAuditVerify } from '../../../src/cli/local/audit-verify.ts';
import { importPublicKey } from '../../../src/jobs/signing-key.ts';

const verify = (key: string): Promise<unknown> => {
  const program = new Command().exitOverride();
  program.command('audit');
  registerAuditVerify(program, {
    write: () => undefined,
    setExitCode: () => undefined,
    importKey: importPublicKey,
  });
  return program.parseAsync(['audit', 'verify', 'trail', '--key', key], { from: 'user' });
};

test('a key that is none is said to be none, without the words of OpenSSL', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'gs-verify-'));
  const file = join(directory, 'keys');
  await writeFile(file, 'hostname\n');
  await expect(verify(file)).rejects.toThrow(
    new RegExp(
      `^${file}: "hostname" is no public key: want what \`groundswell audit keys\` prints$`,
    ),
  );
  await writeFile(file, '{"privateKey":"top secret"}\n');
  await expect(verify(file)).rejects.toThrow(/keys: "\{"privateKey…" is no public key/);
  await expect(verify('MCowBQYDK2VwAyEAabc')).rejects.toThrow(
    '--key: MCowBQYDK2VwAyEAabc is no whole public key',
  );
  await rm(directory, { recursive: true });
});
