import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../../core/error-code.ts';

/**
 * Removes the directories of transactions but for the newest `keep`, by when they were last written. Each
 * holds an inventory and a transcript of up to some megabytes; what they came to is in the audit trail. One
 * that is still awaited is among the newest: a host has one upgrade at a time.
 */
export const forgetTransactions = async (directory: string, keep: number): Promise<void> => {
  const names = await readdir(directory).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  });
  if (names.length <= keep) return;
  const dated = await Promise.all(
    names.map(async (name) => ({ name, at: (await stat(join(directory, name))).mtimeMs })),
  );
  const old = dated.sort((a, b) => b.at - a.at).slice(keep);
  for (const { name } of old) await rm(join(directory, name), { recursive: true, force: true });
};
